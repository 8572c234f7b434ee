"""DynaProt's window and the dialog of missing packages, on each binding of Qt, without a screen."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

BINDINGS = ("PyQt5", "PySide6")


@pytest.fixture(scope="module", params=BINDINGS)
def report(request, startup_folder, pymol_data, tmp_path_factory):
    """What `dialog_session.py` found."""
    binding = request.param
    if importlib.util.find_spec(binding) is None and not os.environ.get("CI"):
        pytest.skip(f"{binding} is not installed")
    folder = tmp_path_factory.mktemp(binding)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    run = subprocess.run(
        [sys.executable, Path(__file__).with_name("dialog_session.py"), startup_folder,
         pymol_data / "data/tut/1hpv.pdb", folder / "report.json"],
        env=environment | {"HOME": str(folder), "QT_API": binding.lower(), "QT_QPA_PLATFORM": "offscreen"},
        cwd=folder, timeout=120, capture_output=True, text=True,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    assert report["binding"] == binding
    return report


def test_nothing_raises(report):
    """No click ends in an exception."""
    assert report["errors"] == []


def test_the_lists_refresh_themselves(report):
    """An object that was loaded behind the window's back is there with its protein chains."""
    assert report["chains"] == ["A", "B"]


def test_a_prediction_does_not_block_the_window(report):
    """While it runs the window shows it and keeps answering; then RMSF and plots are there."""
    assert report["busy"]
    assert report["predicted in main thread"]
    assert not any(report["predicted in main thread"])
    assert report["answers"], "the window answered while the prediction waited for it"
    assert report["status"].startswith("molecule: RMSF ")
    assert report["plots"]


def test_every_button_draws(report):
    """Each view's button leaves what its command draws."""
    assert report["objects"] == [
        "molecule", "molecule_ellipsoids", "dynaprot_rmsf", "molecule_couplings", "dynaprot_coupling",
        "molecule_ensemble", "molecule_modes", "molecule_modes_arrows",
    ]  # fmt: skip


def test_what_views_ask_for_is_worked_out_beside_the_window(report):
    """Couplings, modes, restored conformations, residue rotations: each once for its view, none in the main thread."""
    assert report["in main thread"] == {
        "coupling": [False], "modes": [False], "ensemble": [False], "turns": [False, False]
    }  # fmt: skip


def test_what_a_view_asks_for_can_be_left_behind(report):
    """The window says that it works; cancelled, what was drawn before stays."""
    assert report["working"] == ["Computing the view of molecule: 198 residues …", True]
    assert report["view cancelled"] == ["Cancelled.", True]


def test_the_slider_is_live(report):
    """Ellipsoids grow while the slider moves, and its command is printed once, when it is released."""
    assert report["grown live"]
    assert report["command of the slider"] == "dynaprot_ellipsoids molecule, 0.95, rmsf, mobility"


def test_tubes_and_states_follow_their_sliders(report):
    """Threshold and samples take effect while the slider is held; their commands are printed when it is released."""
    assert report["previewed"] == [50, report["command of the slider"]]
    assert report["settled"] == ["dynaprot_coupling molecule, 0.3", "dynaprot_ensemble molecule, 3"]


def test_a_dragged_block_is_selected(report):
    """A rectangle over rows 30 to 40 and columns 10 to 20 selects both, by a command that can be read."""
    wanted = [["A", str(number)] for number in (*range(10, 21), *range(30, 41))]
    assert report["dragged"] == wanted
    assert report["command of the drag"] == "select sele, molecule and chain A and resi 10-20+30-40"
    assert report["command of the pick"] == "select sele, molecule and chain A and resi 50"


def test_a_selection_is_marked(report):
    """What is selected in PyMOL is marked in the plots, and the pointer's pair is told."""
    assert report["marked"] == [["B", "50"], ["B", "51"], ["B", "52"]]
    assert report["hover"].startswith("A PRO 1 – A PHE 99: ")


def test_the_plots_stay_with_a_renamed_object(report):
    """What is picked in them is selected under the object's new name."""
    assert report["renamed"] == ["select sele, renamed and chain A and resi 60", True]


def test_chains_can_be_chosen(report):
    """An unticked chain is left out of the selection."""
    assert report["one chain"] == "molecule and chain A"


def test_a_job_can_be_left_behind(report):
    """Cancelled, its object deleted, or the window closed: nothing is drawn, and the window goes on working."""
    assert report["cancelled"] == ["Cancelled.", True, False]
    assert report["deleted"] == ["molecule was deleted or renamed meanwhile.", True]
    assert report["closed"]
    assert report["after reopening"].startswith("dynaprot_ellipsoids molecule")


def test_refusals_stand_in_the_window(report):
    """What cannot be done is said in the status line."""
    assert "There is no protein in 'enabled'." in report["refused"]
    assert "movies are written as .mp4 or .gif" in report["no movie"]
    assert "Cannot write" in report["not saved"]


def test_a_movie_is_recorded_beside_the_window(report):
    """The frames are drawn one at a time, and the file is there at the end."""
    assert report["movie"] == [True, "The movie was written."]


def test_a_file_may_have_any_name(report):
    """What the dialog for files answers is written, and the command that was printed can be typed."""
    assert report["saved"] == [True, True]


def test_plots_turn_dark_with_the_desktop(report):
    """On a dark window the plot's paper is dark."""
    assert max(report["dark"][:3]) < 0.3


def test_settings_are_kept(report):
    """Model and probability that were chosen in the window are those of the commands from then on."""
    assert report["settings"] == {"model": "anm-cutoff", "probability": 0.95}


def test_missing_packages_are_installed_on_a_click(report):
    """The dialog names packages, size and place; shows what pip says; offers another try; and can be given up."""
    for part in ("gemmi, matplotlib", "about 27 MB", sys.executable):
        assert part in report["message"]
    assert report["installing"] == [False, 0]
    assert "no such package" in report["failed"][0]
    assert report["failed"][1] == "Try again"
    assert report["installed"]
    assert report["given up"]


def test_an_old_python_is_told(report):
    """In a PyMOL whose Python is too old, the menu says so, and offers no packages that would not help."""
    refused, message = report["too old"]
    assert refused
    assert message.startswith("DynaProt needs Python 4.0 or later; this PyMOL runs ")


def test_missing_packages_are_told_before_the_window_opens(report):
    """One dialog names them; refused, the window stays closed, and with all packages it opens without a dialog."""
    assert report["asked"] == [["numpy", "gemmi"]]
    assert not report["with packages missing"]
    assert report["with all packages"]
