"""The ChimeraX bundle: a thin layer between the host and the core, which is embedded as `.dynaprot`.

Importing it costs nothing: the host asks for code only when a command is first typed or a tool opened.
"""

from chimerax.core.toolshed import BundleAPI


class _DynaProtAPI(BundleAPI):
    api_version = 1

    @staticmethod
    def register_command(bundle_info, command_info, logger):
        from .commands import register_command

        register_command(command_info, logger)

    @staticmethod
    def start_tool(session, bundle_info, tool_info):
        from .window.tool import DynaProtTool

        return DynaProtTool.get_singleton(session)

    @staticmethod
    def run_provider(session, name, manager, **keywords):
        """A button of the toolbar, or a preset."""
        from .commands.provided import run_provider

        run_provider(session, name, manager)

    @staticmethod
    def get_class(name):
        """The class of an object in a saved session."""
        from importlib import import_module

        home = {
            "Arrows": "commands.modes",
            "CouplingTool": "window.plots",
            "Ellipsoids": "commands.ellipsoids",
            "KeptDynamics": "scene.predictions",
            "Predictions": "scene.predictions",
            "RmsfTool": "window.plots",
        }.get(name)
        return getattr(import_module(f".{home}", __name__), name) if home else None


bundle_api = _DynaProtAPI()
