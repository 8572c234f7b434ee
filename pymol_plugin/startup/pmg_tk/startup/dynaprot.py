# Name: DynaProt
# Version: 0.1.0
# Author: The DynaProt team
# License: MIT
# Description: Predicts how each residue of a protein moves and draws it.
"""The plugin, where `pip install dynaprot` puts it for PyMOL to find; the zip of the plugin manager does without."""

from dynaprot.pymol_plugin import __init_plugin__

__all__ = ["__init_plugin__"]
