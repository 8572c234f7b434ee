"""Every model still predicts what it predicted when it was released."""

from __future__ import annotations

import numpy as np
import pytest

from dynaprot import load_structure, models, predict

from .golden.predictions import FOLDER, MODELS, PROTEINS, STRUCTURES, TOLERANCE, golden, numbers, predicted


@pytest.mark.parametrize("model", MODELS)
def test_a_model_predicts_what_its_golden_file_says(model: str) -> None:
    """RMSF, marginals and couplings of three real proteins: a symmetric dimer, two chains, a chain with a gap."""
    now, then = predicted(model), golden(model)
    assert set(now) == set(then) == set(PROTEINS)
    for protein in PROTEINS:
        for kind, expected in then[protein].items():
            largest = np.abs(expected).max()
            np.testing.assert_allclose(
                np.array(now[protein][kind]) / largest, np.array(expected) / largest, rtol=0, atol=TOLERANCE,
                err_msg=f"{model}, {protein}, {kind}",
            )  # fmt: skip


def test_every_model_has_a_golden_file_and_every_golden_file_a_model() -> None:
    """A model cannot be added, or dropped, without its golden predictions."""
    assert {path.stem for path in FOLDER.glob("*.json")} == set(MODELS)
    assert {model for model in MODELS if "+" not in model} == set(models()) - {"default"}


def test_the_default_is_one_of_the_models_with_golden_predictions() -> None:
    """`default` names one of the models, and predicts what it does."""
    structure = load_structure(STRUCTURES / "6gof_gap.pdb.gz")
    default = numbers(predict(structure, device="cpu"))["rmsf"]
    assert any(np.allclose(default, golden(model)["6gof_gap"]["rmsf"], atol=TOLERANCE) for model in MODELS)
