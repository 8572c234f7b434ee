"""Figures that the pages state are those of the committed evaluation and of the weights' header."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest

from dynaprot.network.weights import DEFAULT, find_weights, load_weights

ROOT = Path(__file__).resolve().parents[2]
EVALUATION = ROOT / "docs" / "evaluation"
PAGES = {EVALUATION / "README.md": EVALUATION / "summary.csv", EVALUATION / "held-out.md": EVALUATION / "held-out.csv"}
"""Committed evaluations: the page, and its summary."""
TWIN = EVALUATION / "dynaprot-1-twin.safetensors"
"""Weights that were trained as `dynaprot-1` was, without a fifth of the simulations: they stand for it."""
METRICS = {
    "RMSF r": "rmsf_r",
    "RMSF r, MD": "rmsf_r",
    "RMSF r, ATLAS": "atlas_rmsf_r",
    "ATLAS RMSF r": "atlas_rmsf_r",
    "RMWD, Å": "rmwd",
    "RMWD of marginals, Å": "rmwd",
    "symmetric KL": "symmetric_kl",
    "symmetric KL of marginals": "symmetric_kl",
    "shape cosine": "shape",
    "coupling r, up to 50 residues apart": "coupling_r50",
    "coupling r, all pairs": "coupling_r",
    "amplitude: mean RMSF over that of MD": "amplitude",
}
"""What README and model card call a row, and what the evaluation calls it."""


def tables(page: Path) -> list[tuple[str, list[list[str]]]]:
    """The heading above each table of a page in Markdown, and its rows of cells, the head first."""
    found: list[tuple[str, list[list[str]]]] = []
    heading, inside = "", False
    for line in page.read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            heading = line.lstrip("# ")
        if line.startswith("|"):
            if not inside:
                found.append((heading, []))
            if not re.fullmatch(r"[|: -]+", line):
                found[-1][1].append([cell.strip() for cell in line[1:-1].split("|")])
        inside = line.startswith("|")
    return found


def table(page: Path, heading: str) -> list[list[str]]:
    """The one table under a heading."""
    chosen = [rows for above, rows in tables(page) if above == heading]
    assert len(chosen) == 1, f"{page.name}: {len(chosen)} tables under '{heading}'"
    return chosen[0]


def rows_of(path: Path) -> list[dict[str, str]]:
    """The rows of a committed summary."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_the_figures_in_readme_are_those_of_the_evaluation() -> None:
    """Every number of the table is the committed median of its model, and no cell is empty that has one."""
    summary = rows_of(EVALUATION / "summary.csv")
    head, *rows = table(ROOT / "README.md", "How good")
    named = [re.search(r"`(.+)`", cell) for cell in head[1:]]
    models = [match[1] if match else "MD halves" for match in named]
    assert models == [DEFAULT, "prior", "anm", "MD halves"]
    medians = {
        (row["metric"], row["model"]): row
        for row in summary
        if row["figure"].endswith((", median", ", median, Å")) and row["table"] != "Complexes"
    }
    compared = 0
    for label, *cells in rows:
        for model, cell in zip(models, cells, strict=True):
            found = medians.get((METRICS[label], model))
            assert cell == (f"{float(found['value']):.3f}" if found else ""), f"{label}, {model}"
            compared += bool(cell)
    assert compared == 23


def test_readme_counts_the_proteins_of_the_evaluation() -> None:
    """How many chains of ATLAS and how many simulated proteins the medians are over."""
    summary = rows_of(EVALUATION / "summary.csv")
    counts = {
        row["metric"]: row["proteins"] for row in summary if row["model"] == DEFAULT and row["table"] != "Complexes"
    }
    content = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
    assert f"RMSF of {counts['atlas_rmsf_r']} chains of ATLAS" in content
    assert f"{counts['rmsf_r']} other simulated proteins" in content


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_tables_of_an_evaluation_are_its_summary(page: Path) -> None:
    """Page and CSV are of one run: every cell of the page is a row of the CSV, and the other way round."""
    summary = rows_of(PAGES[page])
    of_page, of_summary = {}, {}
    for heading, (head, *rows) in tables(page):
        for title, *cells in rows:
            name = title.removesuffix(" ↑").removesuffix(" ↓")
            of_page |= {
                (heading, name, model): cell for model, cell in zip(head[1:], cells, strict=True) if cell != "-"
            }
    for row in summary:
        title, decimals = row["figure"].replace("|i - j|", "separation"), 0 if "%" in row["figure"] else 3
        value, low, high = (
            f"{float(row[name]):.{decimals}f}" if row[name] else "" for name in ("value", "low_95", "high_95")
        )
        if value:
            interval = f" [{low}, {high}]" if low else ""  # one protein has none
            of_summary[row["table"], title, row["model"]] = value + interval
    of_page = {key: cell for key, cell in of_page.items() if key[0] != "Size"}
    assert len(of_summary) > 150
    # Printed and stored numbers are rounded once and twice: the last digit may differ by one.
    assert of_page.keys() == of_summary.keys()
    numbers = re.compile(r"-?\d+(?:\.\d+)?")
    for key, cell in of_page.items():
        stated, stored = ([float(number) for number in numbers.findall(text)] for text in (cell, of_summary[key]))
        assert stated == pytest.approx(stored, abs=1.1 if "%" in key[1] else 1.1e-3), key


def test_the_figures_in_the_model_card_are_those_in_the_weights() -> None:
    """Every cell of the card's tables stands in the header of the weights: of springs, their prior, and the twin."""
    path = find_weights("springs-2")
    assert path is not None
    metadata = load_weights(path).metadata
    card = ROOT / "weights" / "README.md"
    columns = {"springs-2": metadata["validation"], "prior": metadata["validation_of_parameter_free_network"]}
    for heading, stated in (
        ("Figures of springs-2", columns),
        ("Figures of dynaprot-1", {"dynaprot-1": load_weights(TWIN).metadata["validation"]}),
    ):
        head, *rows = table(card, heading)
        assert [re.findall(r"`(.+?)`", cell)[0] for cell in head[1:]] == list(stated)
        for label, *cells in rows:
            assert cells == [column[METRICS[label]] for column in stated.values()], label
        assert {METRICS[label] for label, *_ in rows} == set(next(iter(stated.values()))) - {"loss"}


def test_the_twin_was_trained_as_what_ships_but_for_what_was_held_out() -> None:
    """Recipe, steps and size of both are the same; nothing of the held-out clusters was seen."""
    ships = find_weights("dynaprot-1")
    assert ships is not None
    shipped, twin = load_weights(ships), load_weights(TWIN)
    assert shipped.architecture == twin.architecture
    recipes = [
        {name: value for name, value in weights.metadata["configuration"].items() if name not in ("about", "data",
         "data_needed", "held_out")}
        for weights in (shipped, twin)
    ]  # fmt: skip
    assert recipes[0] == recipes[1]
    held_out = set(twin.metadata["configuration"]["held_out"])
    assert held_out > set(shipped.metadata["configuration"]["held_out"])
    assert not held_out & set(map(str, twin.metadata["trained_clusters"]))
