"""The frames of a scene as a movie file."""

from __future__ import annotations

import io
import shutil
import subprocess
import sys
from collections.abc import Generator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from pymol import CmdException

from ..core import load_core

if TYPE_CHECKING:
    from PIL.Image import Image
    from pymol.cmd import Cmd

__all__ = ["require_encoder", "write_movie"]

BLOCK = 16
"""Pixels; video encoders work with blocks of this width and height."""


def require_encoder(path: Path) -> None:
    """Refuse a movie that could not be written, before any frame is drawn.

    Raises
    ------
    CmdException
        If the format is not one of these, or its encoder is missing.
    """
    if path.suffix not in (".gif", ".mp4"):
        raise CmdException(f"Cannot write {path}: movies are written as .mp4 or .gif.")
    if not path.absolute().parent.is_dir():
        raise CmdException(f"Cannot write {path}: there is no folder {path.absolute().parent}.")
    if path.suffix == ".mp4":
        _ffmpeg()


def write_movie(
    path: Path, width: int, height: int, rate: float, ray: bool, *, _self: Cmd
) -> Generator[tuple[int, int], None, None]:
    """Draw and write every frame of the scene as it is.

    Parameters
    ----------
    path : Path
        Its suffix chooses the format: ``.gif``, or ``.mp4``, whose width and height become multiples of 16.
    width, height : int
        Pixels.
    rate : float
        Frames per second.
    ray : bool
        Whether to ray trace. Without a window PyMOL always does.

    Yields
    ------
    int, int
        How many frames are done, of how many; the file is written after the last.
    """
    if path.suffix == ".mp4":
        width, height = (max(BLOCK, round(size / BLOCK) * BLOCK) for size in (width, height))
    count = max(_self.count_frames(), 1)
    shown = _self.get_frame()
    pictures = []
    with load_core(".storage").replacing(path) as temporary:
        temporary.touch()  # so that an error comes before any frame is drawn
        try:
            for frame in range(1, count + 1):
                _self.frame(frame)
                pictures.append(_picture(width, height, ray, _self=_self))
                yield frame, count
        finally:
            _self.frame(shown)
        (_write_gif if path.suffix == ".gif" else _write_mp4)(pictures, temporary, rate)


def _picture(width: int, height: int, ray: bool, *, _self: Cmd) -> Image:
    from PIL import Image

    png = _self.png(None, width, height, ray=int(ray), quiet=1)
    picture = Image.open(io.BytesIO(png)).convert("RGBA")
    # Where PyMOL leaves the background transparent, fill in its colour.
    red, green, blue = (round(255 * channel) for channel in _self.get_color_tuple(_self.get("bg_rgb")))
    ground = Image.new("RGBA", picture.size, (red, green, blue, 255))
    return Image.alpha_composite(ground, picture).convert("RGB")


def _write_gif(pictures: list[Image], path: Path, rate: float) -> None:
    from PIL import Image

    # One palette for all frames, or the background flickers; of a kind that keeps white white.
    first = pictures[0].quantize(256, method=Image.Quantize.FASTOCTREE)
    frames = [picture.quantize(palette=first, dither=Image.Dither.NONE) for picture in pictures]
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=round(1000 / rate), loop=0, optimize=True)


def _write_mp4(pictures: list[Image], path: Path, rate: float) -> None:
    width, height = pictures[0].size
    command = [
        _ffmpeg(), "-y", "-loglevel", "error", "-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{width}x{height}",
        "-r", f"{rate:g}", "-i", "-", "-c:v", "libx264", "-pix_fmt", "yuv420p", "-crf", "18", "-movflags", "+faststart",
        str(path),
    ]  # fmt: skip
    with subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE) as encoder:
        assert encoder.stdin  # as it is a pipe
        with suppress(BrokenPipeError):  # if ffmpeg gives up, it says why
            for picture in pictures:
                encoder.stdin.write(picture.tobytes())
        _, complaint = encoder.communicate()
    if encoder.returncode:
        raise CmdException(f"ffmpeg did not write the movie: {complaint.decode(errors='replace').strip()}")


def _ffmpeg() -> str:
    if found := shutil.which("ffmpeg"):
        return found
    try:
        from imageio_ffmpeg import get_ffmpeg_exe

        return get_ffmpeg_exe()
    except (ImportError, RuntimeError):
        raise CmdException(
            "An .mp4 needs ffmpeg, which was not found: install it, or its Python package with "
            f"{sys.executable} -m pip install imageio-ffmpeg, or write a .gif."
        ) from None
