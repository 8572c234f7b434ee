"""Toolbar, presets, and what the bundle announces to the host."""

import re
import xml.etree.ElementTree
from html import unescape
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]


def test_every_command_is_announced(bundle):
    """What `bundle_info.xml` announces is what there is, each with its help."""
    from chimerax.dynaprot.commands import COMMANDS

    tree = xml.etree.ElementTree.parse(ROOT / "bundle_info.xml")
    classifiers = [element.text.split(" :: ") for element in tree.iter("ChimeraXClassifier")]
    assert {words[2] for words in classifiers if words[1] == "Command"} == set(COMMANDS)
    page = (ROOT / "src" / "docs" / "user" / "commands" / "dynaprot.html").read_text(encoding="utf-8")
    for name in COMMANDS:
        assert f'<a name="{name.split()[-1]}"></a>' in page


def test_the_help_states_the_defaults_of_the_core(bundle):
    """Each default that all hosts share is the one on the help page."""
    from chimerax.dynaprot.dynaprot import defaults

    page = (ROOT / "src" / "docs" / "user" / "commands" / "dynaprot.html").read_text(encoding="utf-8")
    for option, value in {
        "probability": defaults.PROBABILITY,
        "threshold": defaults.THRESHOLD,
        "maxBonds": defaults.COUPLINGS,
        "count": defaults.CONFORMATIONS,
        "seed": defaults.SEED,
        "amplitude": defaults.AMPLITUDE,
        "frames": defaults.FRAMES,
    }.items():
        stated = rf"<b>{option}</b> (<i>\w</i> |pairs )?\((4 to 1000, )?default <b>{value:g}</b>"
        assert re.search(stated, " ".join(page.split())), option
    for suffix in (*defaults.RESULT_SUFFIXES, *defaults.ENSEMBLE_SUFFIXES, *defaults.FIGURE_SUFFIXES):
        assert f"<b>{suffix}</b>" in page, suffix


def examples():
    """What the help page gives as examples, and the user guide as commands."""
    page = (ROOT / "src" / "docs" / "user" / "commands" / "dynaprot.html").read_text(encoding="utf-8")
    shown = re.findall(r"<p><b>(.*?)</b></p>", page.split("<h3>Examples</h3>")[1])
    guide = (ROOT / "docs" / "user-guide.md").read_text(encoding="utf-8").split("## ChimeraX")[1]
    return [unescape(command) for command in shown] + re.findall(r"^\| `(dynaprot .*?)` \|", guide, re.MULTILINE)


def test_examples_of_the_documents(run, protease, protease_file, tmp_path, monkeypatch):
    """Each can be typed as it is."""
    monkeypatch.chdir(tmp_path)
    run(f'open "{protease_file}"')
    run("dynaprot predict #1,2 model anm")
    assert len(examples()) >= 12
    for command in examples():
        run(command)


@pytest.mark.parametrize(
    ("label", "command"),
    [
        ("Ellipsoids", "dynaprot ellipsoids"),
        ("RMSF", "dynaprot rmsf"),
        ("Coupling", "dynaprot coupling"),
        ("Ensemble", "dynaprot ensemble"),
        ("Motion", "dynaprot modes"),
    ],
)
def test_toolbar(run, session, protease, log, label, command):
    """Each button has a picture that can be drawn, and runs its command on the selection, or on all."""
    from PyQt6.QtSvg import QSvgRenderer

    name, bundle_info, icon, description, _ = session.toolbar._toolbar["Molecule Display"]["DynaProt"][label]
    assert QSvgRenderer(icon).isValid()
    assert description
    run("dynaprot predict #1 model anm; select #1/B")
    log.clear()
    bundle_info.run_provider(session, name, session.toolbar)
    assert ("info", f"Executing: {command} sel") in log


@pytest.mark.parametrize("name", ["flexibility", "ellipsoids"])
def test_presets(run, protease, picture, name):
    """A picture that can be shown without more: no atoms of the protein, a cartoon, colours and their key."""
    run("dynaprot predict #1 model anm")
    run(f"preset dynaprot {name}; view")
    protein = protease.residues.filter(protease.residues.polymer_types == protease.residues[0].polymer_type)
    assert not protein.atoms.displays.any()
    assert protein.ribbon_displays.all()
    assert len(protease.child_models()) == (name == "ellipsoids")
    red, _, blue = np.moveaxis(picture(f"preset-{name}"), -1, 0)
    assert (blue - red > 40).mean() > 0.005
