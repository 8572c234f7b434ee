"""Pack the plugin with the core and its weights into a zip that PyMOL's plugin manager installs.

    python pymol_plugin/build.py [folder]

writes ``dynaprot-pymol.zip`` into the folder, by default ``dist``. In it::

    dynaprot/              the plugin, known to PyMOL as pmg_tk.startup.dynaprot
    dynaprot/dynaprot/     the core
    dynaprot/dynaprot/weights/
"""

import shutil
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def build(folder: Path) -> Path:
    """Write the zip into a folder.

    Returns
    -------
    Path
        The zip.
    """
    compiled, own = shutil.ignore_patterns("__pycache__"), shutil.ignore_patterns("__pycache__", "build.py", "startup")
    with tempfile.TemporaryDirectory() as temporary:
        plugin = Path(temporary) / "dynaprot"
        shutil.copytree(ROOT / "pymol_plugin", plugin, ignore=own)
        shutil.copytree(ROOT / "src" / "dynaprot", plugin / "dynaprot", ignore=compiled)
        (plugin / "dynaprot" / "weights").mkdir()
        for path in (ROOT / "weights").glob("*"):
            shutil.copy(path, plugin / "dynaprot" / "weights")
        return Path(shutil.make_archive(str(folder / "dynaprot-pymol"), "zip", temporary, "dynaprot"))


if __name__ == "__main__":
    print(build(Path(sys.argv[1] if len(sys.argv) > 1 else "dist").resolve()))
