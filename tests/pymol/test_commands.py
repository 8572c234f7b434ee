"""The commands as a user meets them: help, completion, info, and one version everywhere."""

from __future__ import annotations

import re

import pytest


@pytest.mark.parametrize("command", ["dynaprot_ellipsoids", "dynaprot_info"])
def test_help_has_the_sections_of_pymols_own(cmd, command, capfd):
    """`help dynaprot_ellipsoids` answers in the form of PyMOL's own commands."""
    cmd.do(f"help {command}")
    output = capfd.readouterr().out
    for section in ("DESCRIPTION", "USAGE", "EXAMPLE", "SEE ALSO"):
        assert f"\n{section}\n" in output


def test_models_are_completed(cmd):
    """Tab completes the command and its third argument; names of objects, in the window's PyMOL only, see there."""
    assert cmd._parser.complete("dynaprot_e") == "dynaprot_ellipsoids "
    assert cmd._parser.complete("dynaprot_ellipsoids 1abc, 0.5, def") == "dynaprot_ellipsoids 1abc, 0.5, default"


def test_info_tells_what_is_running(cmd, core, capfd):
    """`dynaprot_info` prints the version, where it was found, and the packages it stands on."""
    cmd.do("dynaprot_info")
    output = capfd.readouterr().out
    assert f" DynaProt {core.__version__} in " in output
    for name in ("models: default", "weights: ", "numpy ", "gemmi ", "torch "):
        assert f" {name}" in output


def test_the_plugin_has_the_cores_version(core, startup_folder):
    """What PyMOL's plugin manager shows, from the comments in the first lines, is the core's version."""
    first_lines = (startup_folder / "dynaprot" / "__init__.py").read_text(encoding="utf-8").split('"""')[0]
    assert re.search(r"^# Version: (.*)$", first_lines, re.MULTILINE).group(1) == core.__version__
