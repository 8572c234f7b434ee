"""Commands about DynaProt itself: `dynaprot_info`, `dynaprot_settings` and `dynaprot_follow`."""

import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from pymol import cmd

from .. import installer, settings
from ..core import core_refusals, load_core

__all__ = ["dynaprot_follow", "dynaprot_info", "dynaprot_settings"]


def dynaprot_follow(*, _self=cmd):
    """
    DESCRIPTION

        "dynaprot_follow" moves what DynaProt has drawn to where its proteins
        are now. PyMOL's window does so by itself, and so does every other
        command of DynaProt's, once a protein is moved; scripts without a
        window may need this, and it takes back what you moved aside.

        When a protein is renamed, what was drawn of it goes by its new name
        too: after "set_name prot, new" and at the next look, the ellipsoids
        of "new" are "new_ellipsoids".

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
        from ..scene.companions import follow

        follow(always=True, _self=_self)


def dynaprot_info(*, _self=cmd):
    """
    DESCRIPTION

        "dynaprot_info" prints which DynaProt is running, where it was found,
        with which packages, and what it has drawn.

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
        print(f" DynaProt {core.__version__} in {Path(core.__file__).parent}")
        print(f" models: {', '.join(core.models())}")
        weights = load_core(".network.weights").shipped_weights()
        print(f" weights: {', '.join(map(str, weights)) or 'none, so that the elastic network stands in'}")
        from ..scene.companions import companions, follow

        follow(_self=_self)
        for name, title in companions(_self=_self).items():
            print(f" {name}: {title['kind']} of {title['parent']}, state {title['state']}; {title['remark']}")


def dynaprot_settings(name="", value="", *, _self=cmd):
    """
    DESCRIPTION

        "dynaprot_settings" prints the settings, or changes one: what the
        commands take where an argument is left out. PyMOL keeps them from one
        start to the next.

    USAGE

        dynaprot_settings [ name [, value ]]

    ARGUMENTS

        name = str: model, device, probability, color_by, palette, threshold,
        count, seed or amplitude {default: print all}

        value = str: what to take from now on {default: the value that
        DynaProt comes with}

    EXAMPLE

        dynaprot_settings probability, 0.9
        dynaprot_settings probability
        dynaprot_settings

    SEE ALSO

        dynaprot_info
    """
    if name:
        settings.change(name, value)
    for each, present in settings.settings().items():
        if name in ("", each):
            print(f" {each} = {present}")
