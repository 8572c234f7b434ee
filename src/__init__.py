"""The ChimeraX bundle: a thin layer between the host and the core, which is embedded as `.dynaprot`.

Importing it costs nothing: the host asks for a command's code only when the command is first typed.
"""

from chimerax.core.toolshed import BundleAPI


class _DynaProtAPI(BundleAPI):
    api_version = 1

    @staticmethod
    def register_command(bundle_info, command_info, logger):
        from .commands import register_command

        register_command(command_info, logger)


bundle_api = _DynaProtAPI()
