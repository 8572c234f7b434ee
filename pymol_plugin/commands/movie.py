"""`dynaprot_movie`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pymol import CmdException, cmd

from ..core import core_refusals
from .arguments import path_of, switch, whole_number

if TYPE_CHECKING:
    from pymol.cmd import Cmd

__all__ = ["dynaprot_movie"]


def dynaprot_movie(
    filename: str, width: str | int = 640, height: str | int = 480, rate: str | float = 20, ray: str | int = 1,
    *, _self: Cmd = cmd,
) -> None:  # fmt: skip
    """
    DESCRIPTION

        "dynaprot_movie" draws every frame of the scene as it is, for example
        the states that "dynaprot_modes" or "dynaprot_ensemble" made, and
        writes them as one movie, with or without PyMOL's window.

    USAGE

        dynaprot_movie filename [, width [, height [, rate [, ray ]]]]

    ARGUMENTS

        filename = str: ending in .gif, or in .mp4, which needs ffmpeg or its
        Python package imageio-ffmpeg

        width, height = int: size in pixels; for an .mp4, the nearest
        multiples of 16 are taken {default: 640, 480}

        rate = float: frames per second {default: 20}

        ray = 0/1: ray trace; without a window PyMOL always does {default: 1}

    EXAMPLE

        dynaprot_modes 1ake
        dynaprot_movie mode.gif

    SEE ALSO

        dynaprot_modes, dynaprot_ensemble, mplay
    """
    with core_refusals():
        from ..scene.linked_objects import follow
        from ..scene.movies import require_encoder, write_movie

        follow(_self=_self)
        path = path_of(filename, _self=_self)
        size = whole_number("width", width, 16), whole_number("height", height, 16)
        try:
            frequency = float(rate)
        except ValueError:
            frequency = 0.0
        if not 0.0 < frequency <= 100.0:
            raise CmdException("The rate must be a number of frames per second, above 0 and at most 100.")
        require_encoder(path)
        for done, count in write_movie(path, *size, frequency, switch("ray", ray), _self=_self):
            if done == 1 or done % 10 == 0 or done == count:
                print(f" DynaProt: frame {done} of {count}.")
        print(f" DynaProt: {path} was written.")
