"""Every command on real structures that are hard: many chains, nucleic acids, gaps, many residues."""

import gzip
from pathlib import Path

import numpy as np
import pytest

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data" / "structures"

COMMANDS = (
    "rmsf #1",
    "ellipsoids #1 smoothing 1",
    "coupling #1 threshold 0.5",
    "coupling #1 from #1 & protein",
    "ensemble #1 count 2 seed 0",
    "modes #1 frames 4",
    "anisou #1",
)


def run_all(run, model):
    """Each command once."""
    run(f"dynaprot predict #1 model {model}")
    return [run(f"dynaprot {command}") for command in COMMANDS]


@pytest.mark.parametrize(
    "name",
    [
        "6m6s.pdb.gz",  # with nucleic acid
        "4cfq.pdb.gz",  # six chains
        "1SYX_r_u.pdb.gz",  # a residue without a whole backbone
        "6gof_final.cif.gz",  # mmCIF
    ],
)
def test_awkward_structures(run, session, tmp_path, name):
    """Protein residues, as the core finds them in the file, get attributes, ellipsoids, coordinate sets and U."""
    from chimerax.dynaprot.dynaprot import load_structure

    if not (SHARED / name).exists():
        pytest.skip(f"{SHARED / name} is absent")
    file = tmp_path / name.removesuffix(".gz")
    file.write_bytes(gzip.decompress((SHARED / name).read_bytes()))
    structure = run(f'open "{file}"')[0]
    (dynamics,), (surface,), _, _, (ensemble,), (mode,), _ = run_all(run, "anm")
    assert len(dynamics) == len(surface.residues) == len(load_structure(file))
    assert sum(hasattr(residue, "dynaprot_rmsf") for residue in structure.residues) == len(dynamics)
    calphas = surface.residues.existing_principal_atoms
    np.testing.assert_allclose(calphas.aniso_u, dynamics.marginals, rtol=1e-5)
    assert ensemble.num_atoms == mode.num_atoms == structure.num_atoms
    assert (ensemble.num_coordsets, mode.num_coordsets) == (2, 4)


def test_a_complex_with_nucleic_acid(run, protease, tmp_path):
    """A strand of DNA beside the protein is neither predicted nor touched; alone it is refused by name."""
    from chimerax.core.errors import UserError

    with open(protease.filename, encoding="utf-8") as file:
        lines = [line for line in file if line.startswith("ATOM")]
    backbone = {
        "P": (0, 0, 0),
        "O5'": (1, 1, 0),
        "C5'": (2, 0, 0.6),
        "C4'": (3.2, 0.7, 0),
        "C3'": (4.4, 0, 0.6),
        "O3'": (5.5, 0.9, 0),
    }
    for number in range(1, 7):
        for name, place in backbone.items():
            x, y, z = np.array(place) + [6.8 * number, 60, 0]
            lines.append(
                f"ATOM      1  {name:<3}  DA D{number:4d}    {x:8.3f}{y:8.3f}{z:8.3f}  1.00 10.00           {name[0]}\n"
            )
    (tmp_path / "complex.pdb").write_text("".join(lines), encoding="utf-8")
    run("close #1")
    structure = run(f'open "{tmp_path}/complex.pdb"')[0]
    strand = structure.residues.filter(structure.residues.chain_ids == "D")
    colors = strand.atoms.colors
    (dynamics,), (surface,), _, _, (ensemble,), _, _ = run_all(run, "anm")
    assert len(dynamics) == len(surface.residues) == 198
    np.testing.assert_array_equal(strand.atoms.colors, colors)
    assert not strand.atoms.has_aniso_u.any()
    assert ensemble.num_atoms == structure.num_atoms
    run("delete #1/A,B")
    with pytest.raises(UserError, match=r"complex\.pdb #1 has no protein residue"):
        run("dynaprot ellipsoids #1")


@pytest.fixture
def crystal(run, protease, tmp_path):
    """1584 residues in 16 chains: eight copies of the protease side by side."""
    protein = protease.atoms.filter(protease.atoms.residues.chain_ids != " ")
    span = np.ptp(protein.coords, axis=0)
    letters = iter("ABCDEFGHIJKLMNOP")
    lines = []
    with open(protease.filename, encoding="utf-8") as file:
        text = [line for line in file if line.startswith("ATOM")]
    for shift in np.ndindex(2, 2, 2):
        offset = np.array(shift) * span
        names = {chain: next(letters) for chain in "AB"}
        for line in text:
            x, y, z = np.array([float(line[k : k + 8]) for k in (30, 38, 46)]) + offset
            lines.append(f"{line[:21]}{names[line[21]]}{line[22:30]}{x:8.3f}{y:8.3f}{z:8.3f}{line[54:]}")
    (tmp_path / "crystal.pdb").write_text("".join(lines), encoding="utf-8")
    run("close #1")
    return run(f'open "{tmp_path}/crystal.pdb"')[0]


def test_a_large_complex(run, crystal):
    """1584 residues by the network: every command."""
    (dynamics,), (surface,), _, _, (ensemble,), (mode,), _ = run_all(run, "default")
    assert len(dynamics) == len(surface.residues) == 1584
    assert len(surface.triangles) == 1584 * 80
    assert ensemble.num_coordsets == 2
    assert mode.num_coordsets == 4


def test_copies_in_the_scene(run, protease):
    """Copies of a chain, moved as in an assembly, are predicted for themselves, each in its own frame; `combine`
    makes one system of them."""
    copy = protease.copy("copy")
    protease.session.models.add([copy])
    run("turn z 180 models #2; move x 30 models #2")
    first, second = run("dynaprot ellipsoids #1,2 model anm")
    np.testing.assert_array_equal(first.vertices, second.vertices)
    np.testing.assert_allclose(second.scene_position.matrix, copy.scene_position.matrix)
