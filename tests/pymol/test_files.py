"""PyMOL reads the core's files as the ellipsoids that were predicted."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import numpy as np
import pytest


@pytest.mark.parametrize("suffix", ["pdb", "cif"])
def test_a_written_structure_file_holds_the_same_ellipsoids(
    cmd: object, core: ModuleType, plugin: object, pymol_data: Path, tmp_path: Path, suffix: str
) -> None:
    """U of each C-alpha is its covariance, B is 8 pi^2/3 RMSF^2, to the digits of the format."""
    writers = plugin.core.load_core(".files.structure_files")  # type: ignore[attr-defined]
    dynamics = core.predict(core.load_structure(pymol_data / "data" / "tut" / "1hpv.pdb"), "anm")
    path = tmp_path / f"dynamics.{suffix}"
    {"pdb": writers.write_pdb, "cif": writers.write_mmcif}[suffix](dynamics, path)
    cmd.load(str(path), "read")  # type: ignore[attr-defined]
    atoms = cmd.get_model("name CA and read").atom  # type: ignore[attr-defined]
    assert [(atom.chain, atom.resi) for atom in atoms] == list(
        zip(dynamics.structure.chain_ids, dynamics.structure.residue_ids, strict=True)
    )
    read = np.array([atom.u_aniso for atom in atoms])[:, [0, 3, 4, 3, 1, 5, 4, 5, 2]].reshape(-1, 3, 3)
    np.testing.assert_allclose(read, dynamics.marginals, atol=1e-4)
    np.testing.assert_allclose([atom.b for atom in atoms], 8 * np.pi**2 / 3 * dynamics.rmsf**2, atol=0.01)
