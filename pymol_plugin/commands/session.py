"""Commands about DynaProt itself: `dynaprot_info`, `dynaprot_settings` and `dynaprot_follow`."""

from __future__ import annotations

import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

from pymol import cmd

from .. import installer, settings
from ..core import core_refusals, load_core

if TYPE_CHECKING:
    from pymol.cmd import Cmd

__all__ = ["dynaprot_follow", "dynaprot_info", "dynaprot_settings"]


def dynaprot_follow(*, _self: Cmd = cmd) -> None:
    """
    DESCRIPTION

        "dynaprot_follow" moves what DynaProt has drawn to where its proteins
        are now. PyMOL's window does this by itself once a protein is moved,
        and so does every other command of DynaProt; scripts without a window
        may need this command. It also brings back what you have moved aside.

        When a protein is renamed, what was drawn of it is renamed too: after
        "set_name prot, new", the ellipsoids of "new" are "new_ellipsoids".

    USAGE

        dynaprot_follow

    EXAMPLE

        dynaprot_ellipsoids 1ake
        align 1ake, 4ake
        dynaprot_follow

    SEE ALSO

        dynaprot_ellipsoids, matrix_copy
    """
    with core_refusals():
        from ..scene.linked_objects import follow

        follow(always=True, _self=_self)


def dynaprot_info(*, _self: Cmd = cmd) -> None:
    """
    DESCRIPTION

        "dynaprot_info" prints which DynaProt is running, where it was found,
        the packages it uses, and what it has drawn.

    USAGE

        dynaprot_info

    EXAMPLE

        dynaprot_info

    SEE ALSO

        dynaprot_settings, dynaprot_ellipsoids
    """
    for package in installer.PACKAGES:
        try:
            print(f" {package} {version(package)}")
        except PackageNotFoundError:
            print(f" {package} is not installed: {' '.join(installer.pip_command([package]))}")
    print(f" Python {sys.version.split()[0]}, {sys.executable}")
    with core_refusals():
        core = load_core()
        print(f" DynaProt {core.__version__} in {Path(str(core.__file__)).parent}")
        print(f" models: {', '.join(core.models())}")
        weights = load_core(".network.weights").shipped_weights()
        print(f" weights: {', '.join(map(str, weights)) or 'none, so the elastic network is used instead'}")
        from ..scene.linked_objects import follow, linked_objects

        follow(_self=_self)
        for name, title in linked_objects(_self=_self).items():
            print(f" {name}: {title['kind']} of {title['parent']}, state {title['state']}; {title['remark']}")


def dynaprot_settings(name: str = "", value: str = "", *, _self: Cmd = cmd) -> None:
    """
    DESCRIPTION

        "dynaprot_settings" prints the settings, which are the values that
        commands use where an argument is left out, or changes one of them.
        PyMOL keeps them from one start to the next.

    USAGE

        dynaprot_settings [ name [, value ]]

    ARGUMENTS

        name = str: model, device, superimpose, probability, color_by, palette,
        threshold, count, seed or amplitude {default: print all}

        The setting "superimpose" says from where motion is seen: "all"
        residues alike, the "core", where quiet residues count more, a part
        such as A:1-120,B (chains and residue numbers), or "auto", which is
        all residues, but without loose pieces and tails where these would
        blur the others.

        value = str: the value from now on {default: the one that DynaProt
        comes with}

    EXAMPLE

        dynaprot_settings probability, 0.9
        dynaprot_settings superimpose, L:1-107
        dynaprot_settings probability
        dynaprot_settings

    SEE ALSO

        dynaprot_info
    """
    with core_refusals():
        if name:
            settings.change(name, value)
        for each, present in settings.settings().items():
            if name in ("", each):
                print(f" {each} = {present}")
