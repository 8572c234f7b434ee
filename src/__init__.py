"""The ChimeraX bundle: a thin layer between the host and the core, which is embedded as `.dynaprot`.

Importing it costs nothing: the host asks for code only when a command is first typed or a tool opened. `commands` read
and draw by way of `scene`; `window` runs commands and plots what they have drawn.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chimerax.core.toolshed import BundleAPI

if TYPE_CHECKING:
    from chimerax.core.logger import Logger
    from chimerax.core.session import Session
    from chimerax.core.toolshed import BundleInfo, CommandInfo, ProviderManager, ToolInfo

    from .window.tool import DynaProtTool


class _DynaProtAPI(BundleAPI):
    api_version = 1

    @staticmethod
    def register_command(bundle_info: BundleInfo, command_info: CommandInfo, logger: Logger) -> None:
        from .commands import register_command
        from .window import plot_what_is_drawn

        register_command(command_info, logger)
        plot_what_is_drawn()

    @staticmethod
    def start_tool(session: Session, bundle_info: BundleInfo, tool_info: ToolInfo) -> DynaProtTool:
        from .window.tool import DynaProtTool

        return DynaProtTool.get_singleton(session)

    @staticmethod
    def run_provider(session: Session, name: str, manager: ProviderManager, **keywords: Any) -> None:
        """Run a button of the toolbar, or a preset."""
        from .commands.buttons_and_presets import run_provider

        run_provider(session, name, manager)

    @staticmethod
    def get_class(name: str) -> type | None:
        """The class of an object in a saved session."""
        from importlib import import_module

        home = {
            "Arrows": "scene.modes",
            "CouplingTool": "window.plots",
            "Ellipsoids": "scene.ellipsoids",
            "KeptDynamics": "scene.predictions",
            "Predictions": "scene.predictions",
            "RmsfTool": "window.plots",
        }.get(name)
        return getattr(import_module(f".{home}", __name__), name) if home else None


bundle_api = _DynaProtAPI()
