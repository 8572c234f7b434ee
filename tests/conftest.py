"""What the tests of the core and of both hosts share: a look at what a program reaches for outside itself."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

OPENED = re.compile(
    r'openat\((?:AT_FDCWD|\d+)(?:<(?P<folder>[^>]*)>)?, "(?P<name>(?:[^"\\]|\\.)*)", (?P<flags>[A-Z_|]+)'
)
ADDRESSED = re.compile(r"(?:connect|sendto)\(.*\{sa_family=(?P<family>\w+)")
LOOPBACK = re.compile(r'inet_addr\("127\.|inet_pton\(AF_INET6, "::1"')
NAME_SERVER = "htons(53)"
SINKS = {"/dev/null", "/dev/tty"}


@dataclass(frozen=True)
class Watched:
    """A program that has run under `strace`.

    Attributes
    ----------
    stdout : str
    trespasses : list of str
        Each connection beyond this machine, each question to a name server, each file that was to be written outside
        the folders meant for that, and each file left in the home folder besides matplotlib's cache.
    """

    stdout: str
    trespasses: list[str]


@pytest.fixture
def output(tmp_path: Path) -> Path:
    """The folder into which a watched program is to write."""
    folder = tmp_path / "output"
    folder.mkdir()
    return folder


@pytest.fixture
def watch(tmp_path: Path, output: Path) -> Callable[..., Watched]:
    """Run a program under `strace`, with an empty home folder; `watch(command, NAME="value of a variable")`."""
    reason = _why_nothing_can_be_traced()
    if reason and os.environ.get("CI"):
        pytest.fail(reason)
    elif reason:
        pytest.skip(reason)
    home, temporary, elsewhere = (tmp_path / name for name in ("home", "temporary", "elsewhere"))
    for folder in (home, temporary, elsewhere):
        folder.mkdir()

    def watch(command: Sequence[str | Path], **variables: str) -> Watched:
        record = tmp_path / "strace"
        # Neither a user's own folders nor Python's bytecode are what is looked for.
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("XDG_", "MPL"))}
        environment |= {"HOME": str(home), "TMPDIR": str(temporary), "PYTHONDONTWRITEBYTECODE": "1"} | variables
        # fmt: off
        done = subprocess.run(
            ["strace", "-f", "-y", "-e", "trace=connect,sendto,openat", "-o", record, *command],
            env=environment, cwd=elsewhere, capture_output=True, encoding="utf-8",
        )
        # fmt: on
        assert done.returncode == 0, done.stdout + done.stderr
        allowed = (output, temporary, home / ".cache" / "matplotlib")
        trespasses = [
            line for line in record.read_text(encoding="utf-8").splitlines() if _trespasses(line, elsewhere, allowed)
        ]
        left = [path for path in home.rglob("*") if path.is_file() and allowed[-1] not in path.parents]
        return Watched(done.stdout, trespasses + [f"left behind: {path}" for path in left])

    return watch


def _trespasses(line: str, working_folder: Path, allowed: Sequence[Path]) -> bool:
    """Whether a system call of the record reaches beyond this machine, or would write outside the allowed folders."""
    if address := ADDRESSED.search(line):
        inside = address["family"] == "AF_UNIX" or LOOPBACK.search(line)
        return not inside or NAME_SERVER in line
    if (opened := OPENED.search(line)) and {"O_WRONLY", "O_RDWR", "O_CREAT"} & set(opened["flags"].split("|")):
        path = os.path.normpath(os.path.join(opened["folder"] or working_folder, opened["name"]))
        return path not in SINKS and not any(Path(path).is_relative_to(folder) for folder in allowed)
    return False


def _why_nothing_can_be_traced() -> str | None:
    if not shutil.which("strace"):
        return "strace is not installed (Debian: apt-get install strace)"
    tried = subprocess.run(["strace", "-o", os.devnull, "true"], capture_output=True, text=True)
    return f"this system lets nothing be traced: {tried.stderr.strip()}" if tried.returncode else None
