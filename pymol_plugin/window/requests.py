"""What the user asks for in the window: a command, as it is typed and as it is called."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pymol.cmd import Cmd

__all__ = ["Request", "quoted"]


@dataclass(frozen=True)
class Request:
    """One of DynaProt's commands with its arguments.

    Attributes
    ----------
    command : callable
        The command.
    arguments : tuple of str
        Its first arguments, in order.
    options : mapping of str to str
        Its other arguments, by name.
    question : tuple
        What the command will ask `predictions.answer`, the function first; empty if it asks nothing.
    """

    command: Callable[..., None]
    arguments: tuple[str, ...]
    options: Mapping[str, str] = field(default_factory=dict)
    question: tuple[Any, ...] = ()

    @property
    def text(self) -> str:
        """The command as a user would type it."""
        return f"{self.command.__name__} {', '.join([*self.arguments, *map('='.join, self.options.items())])}"

    def call(self, *, _self: Cmd) -> None:
        """Run the command without PyMOL printing it."""
        self.command(*self.arguments, **self.options, _self=_self)


def quoted(path: str) -> str:
    """A path as a user has to type it: in quotes where PyMOL would otherwise split it."""
    if not any(mark in path for mark in ",;"):
        return path
    mark = "'" if '"' in path else '"'
    return f"{mark}{path}{mark}"
