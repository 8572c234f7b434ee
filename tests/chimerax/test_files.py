"""ChimeraX reads the core's files as the ellipsoids that were predicted."""

import numpy as np
import pytest


@pytest.mark.parametrize("suffix", ["pdb", "cif"])
def test_a_written_structure_file_holds_the_same_ellipsoids(run, protease_file, tmp_path, suffix):
    """U of each C-alpha is its covariance, B is 8 pi^2/3 RMSF^2, to the digits of the format."""
    from chimerax.dynaprot.dynaprot import load_structure, predict
    from chimerax.dynaprot.dynaprot.files.structure_files import write_mmcif, write_pdb

    dynamics = predict(load_structure(protease_file), "anm")
    path = tmp_path / f"dynamics.{suffix}"
    {"pdb": write_pdb, "cif": write_mmcif}[suffix](dynamics, path)
    atoms = run(f'open "{path}"')[0].atoms
    calphas = atoms.filter(atoms.names == "CA")
    assert list(calphas.residues.chain_ids) == dynamics.structure.chain_ids.tolist()
    assert calphas.residues.numbers.tolist() == [int(number) for number in dynamics.structure.residue_ids]
    assert calphas.has_aniso_u.all()
    read = calphas.aniso_u6[:, [0, 3, 4, 3, 1, 5, 4, 5, 2]].reshape(-1, 3, 3)
    np.testing.assert_allclose(read, dynamics.marginals, atol=1e-4)
    np.testing.assert_allclose(calphas.bfactors, 8 * np.pi**2 / 3 * dynamics.rmsf**2, atol=0.01)
