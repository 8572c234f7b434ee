"""Labels from simulations, models, conformers and crystals, made from miniatures of each."""

from __future__ import annotations

import sys
import zipfile
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import gemmi
import numpy as np
import pytest

import dynaprot
from dynaprot import Structure, TrainingDataError
from dynaprot.datasets import prepared as prepared_format
from dynaprot.datasets import sources as readers
from dynaprot.datasets import splits
from dynaprot.datasets.alignment import align
from dynaprot.datasets.prepare import effective_samples, prepare, prepare_protein, split_half_rmsf_r, split_prepared
from dynaprot.datasets.prepared import PreparedProtein
from dynaprot.datasets.sources import find_sources, read_rmsf_chains
from dynaprot.datasets.splits import Split, published_split, sequence_clusters, split_by_cluster
from dynaprot.structure.superposition import superpose, superpose_ensemble

from .conftest import moved, random_protein, rotation_matrix
from .test_command_line import run
from .test_structure import pdb_text

SIZE = 32
FRAMES = 900
SHRINK = 0.5
"""Of the elastic network's amplitude: small enough that a superposition takes out rigid motions and nothing else."""


def motion(structure: Structure, count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Displacements, (F, N, 3), drawn from a known Gaussian without rigid motions, and its marginals, (N, 3, 3)."""
    truth = dynaprot.predict(structure, model="anm")
    return SHRINK * (truth.sample(count, seed) - structure.ca), SHRINK**2 * truth.marginals


def tumbled(frames: np.ndarray, seed: int = 0) -> np.ndarray:
    """Each frame, (F, atoms, 3), turned and shifted on its own."""
    generator = np.random.default_rng(seed)
    turns = np.array([rotation_matrix(k) for k in generator.integers(0, 10**6, len(frames))])
    return frames @ turns + generator.normal(0, 20, (len(frames), 1, 3))


def error(found: np.ndarray, truth: np.ndarray) -> float:
    """Relative Frobenius error."""
    return float(np.linalg.norm(found - truth) / np.linalg.norm(truth))


def prepared(folder: Path, **options: Any) -> dict[str, PreparedProtein]:
    """Prepare everything in a folder, in this process, without writing."""
    return {source.name: prepare_protein(source) for source in find_sources([folder], **options)}


@pytest.fixture(scope="module")
def protein() -> Structure:
    """A helix-and-strand miniature."""
    return random_protein(5, (SIZE,))


class Simulation:
    """All atoms of a miniature: each residue's N, CA, C, O move with its C-alpha, and a sodium ion stands by."""

    def __init__(self, structure: Structure) -> None:
        self.mdtraj = pytest.importorskip("mdtraj", reason="mdtraj is not installed: no trajectories")
        element = self.mdtraj.element
        self.topology = self.mdtraj.Topology()
        positions = []
        self.residue = []
        # The ion first, so that residues' atoms are not the first ones.
        self.topology.add_atom("NA", element.sodium, self.topology.add_residue("NA", self.topology.add_chain("I"), 900))
        positions.append(structure.ca.mean(0) + 30.0)
        self.residue.append(0)
        chain = self.topology.add_chain("A")
        for k, name in enumerate(structure.residue_names):
            residue = self.topology.add_residue(name.replace("UNK", "ALA"), chain, k + 1)
            for atom, kind, place in (
                ("N", element.nitrogen, structure.n[k]),
                ("H", element.hydrogen, structure.n[k] + 0.5),
                ("CA", element.carbon, structure.ca[k]),
                ("C", element.carbon, structure.c[k]),
                ("O", element.oxygen, structure.c[k] + 0.7),
            ):
                self.topology.add_atom(atom, kind, residue)
                positions.append(place)
                self.residue.append(k)
        self.positions = np.array(positions)

    def atoms(self, displacements: np.ndarray, seed: int = 0) -> np.ndarray:
        """All atoms of tumbling frames, (F, atoms, 3), Å."""
        return tumbled(self.positions + displacements[:, self.residue], seed)

    def write(self, path: Path, atoms: np.ndarray) -> None:
        """Write as the file's ending says."""
        self.mdtraj.Trajectory(atoms.astype(np.float32) / 10.0, self.topology).save(str(path))


@pytest.fixture(scope="module")
def simulation(protein: Structure) -> Simulation:
    """The miniature's all-atom model."""
    return Simulation(protein)


@pytest.fixture(scope="module")
def atlas(protein: Structure, simulation: Simulation, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in the layout of ATLAS with one protein and three replicas."""
    folder = tmp_path_factory.mktemp("atlas")
    simulation.write(folder / "1abc_A.pdb", simulation.positions[None])
    displacements = motion(protein, FRAMES)[0]
    for replica, part in enumerate(np.array_split(displacements, 3), start=1):
        simulation.write(folder / f"1abc_A_prod_R{replica}_fit.xtc", simulation.atoms(part, seed=replica))
    return folder


def test_labels_recover_what_an_atlas_simulation_was_drawn_from(protein: Structure, atlas: Path) -> None:
    """Marginals and coupling of the Gaussian come back, to sampling noise, although every frame tumbles."""
    result = prepared(atlas)["1abc_A"]
    truth = dynaprot.predict(protein, model="anm")
    assert error(result.marginals_in_place, SHRINK**2 * truth.marginals) < 0.12
    assert error(result.rmsf, SHRINK * truth.rmsf) < 0.05
    assert np.corrcoef(result.coupling.ravel(), truth.coupling.ravel())[0, 1] > 0.98
    np.testing.assert_allclose(np.diagonal(result.coupling), 1.0)
    assert (result.kind, result.conformations, result.trajectories) == ("simulation", FRAMES, 3)
    assert result.effective_samples > 0.7 * FRAMES, "independent draws count in full"
    assert result.split_half_rmsf_r > 0.9
    assert result.structure.sequence == protein.sequence.replace("X", "A")
    assert "NC" in result.licence, "labels of ATLAS must not be taken for free ones"
    assert np.abs(result.mean - protein.ca).max() < 0.3


def test_kept_frames_are_whole_backbones_in_place(
    protein: Structure, atlas: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Frames for augmentation hold N, CA and C, superposed on the reference, and scatter as the labels say."""
    monkeypatch.setattr(readers, "AT_ONCE", 70)  # no multiple of what is kept
    result = prepared(atlas)["1abc_A"]
    assert result.frames.shape == (16, SIZE, 3, 3)
    offsets = result.frames - result.frames[:, :, 1:2]
    lengths = np.linalg.norm(offsets[:, :, [0, 2]], axis=-1)
    expected = np.linalg.norm([protein.n - protein.ca, protein.c - protein.ca], axis=-1).T
    assert np.abs(lengths - expected).max() < 0.05  # the file's precision
    squares = ((result.frames[:, :, 1] - result.mean) ** 2).sum(2).mean()
    assert 0.6 < squares / (result.rmsf**2).mean() < 1.5


@pytest.mark.parametrize("layout", ["zip", "folder in zip", "other names"])
def test_every_layout_of_atlas_gives_the_same(layout: str, atlas: Path, tmp_path: Path) -> None:
    """Zipped, zipped with a folder, or named <id>_R1.xtc: the labels are the same."""
    expected = prepared(atlas)["1abc_A"]
    if layout == "other names":
        for file in atlas.iterdir():
            name = file.name.replace("_prod_R", "_R").replace("_fit", "")
            (tmp_path / name).write_bytes(file.read_bytes())
    else:
        with zipfile.ZipFile(tmp_path / "1abc_A_protein.zip", "w") as archive:
            for file in atlas.iterdir():
                archive.write(file, f"1abc_A/{file.name}" if layout == "folder in zip" else file.name)
            archive.writestr("README.txt", "not a trajectory")
    found = prepared(tmp_path)
    assert list(found) == ["1abc_A"]
    np.testing.assert_array_equal(found["1abc_A"].marginals, expected.marginals)


def test_any_topology_and_trajectory(protein: Structure, simulation: Simulation, tmp_path: Path) -> None:
    """--topology takes what mdtraj reads: here GRO with DCD, and one protein comes out."""
    simulation.write(tmp_path / "molecule.gro", simulation.positions[None])
    displacements, truth = motion(protein, 400)
    simulation.write(tmp_path / "first.dcd", simulation.atoms(displacements[:200]))
    simulation.write(tmp_path / "second.dcd", simulation.atoms(displacements[200:]))
    paths = [tmp_path / "first.dcd", tmp_path / "second.dcd"]
    (source,) = find_sources(paths, topology=tmp_path / "molecule.gro", licence="CC0")
    result = prepare_protein(source)
    assert (result.name, result.licence, result.trajectories) == ("molecule", "CC0", 2)
    assert error(result.marginals_in_place, truth) < 0.2


def test_mdcath(protein: Structure, simulation: Simulation, tmp_path: Path) -> None:
    """mdCATH's HDF5: PDB text and Å under domain, temperature, replica; another temperature is named if missing."""
    h5py = pytest.importorskip("h5py", reason="h5py is not installed: no mdCATH")
    simulation.write(tmp_path / "topology.pdb", simulation.positions[None])
    text = (tmp_path / "topology.pdb").read_bytes()
    (tmp_path / "topology.pdb").unlink()
    displacements, truth = motion(protein, 500)
    with h5py.File(tmp_path / "mdcath_dataset_1abcA00.h5", "w") as file:
        domain = file.create_group("1abcA00")
        domain["pdbProteinAtoms"] = text
        for replica, part in enumerate(np.array_split(displacements, 5)):
            domain[f"320/{replica}/coords"] = simulation.atoms(part).astype(np.float32)
        domain["450/0/coords"] = simulation.atoms(1.25 * displacements).astype(np.float32)
    result = prepared(tmp_path)["1abcA00"]
    assert error(result.marginals_in_place, truth) < 0.15
    assert result.trajectories == 5
    assert "320 K" in result.source
    hot = prepared(tmp_path, temperature=450)["1abcA00"]
    assert 1.2 < np.median(hot.rmsf / result.rmsf) < 1.3
    with pytest.raises(TrainingDataError, match="no simulation at 300 K; it has 320, 450"):
        prepared(tmp_path, temperature=300)


def test_local_marginals_do_not_know_how_the_protein_lies(protein: Structure, tmp_path: Path) -> None:
    """Turned with its reference, a protein has the same local marginals, and turned ones in place."""
    models = protein.ca + motion(protein, 12)[0]
    turn = rotation_matrix(3)
    write_models(tmp_path / "lies.pdb", protein, models)
    write_models(tmp_path / "stands.pdb", moved(protein, turn, np.array([5.0, -3.0, 2.0])), models @ turn.T + 4.0)
    found = prepared(tmp_path)
    lies, stands = found["lies"], found["stands"]
    assert error(stands.marginals, lies.marginals) < 0.02  # the file's precision
    assert error(stands.marginals_in_place, turn @ lies.marginals_in_place @ turn.T) < 0.02
    assert error(stands.marginals_in_place, lies.marginals_in_place) > 0.2, "the turn is not seen at all"
    rotations = lies.structure.rotations
    x = np.einsum("nia,nab,nib->ni", rotations[:, :, 0][:, None], lies.marginals_in_place, rotations[:, :, 0][:, None])
    np.testing.assert_allclose(x[:, 0], lies.marginals[:, 0, 0], rtol=1e-9)


def write_models(path: Path, structure: Structure, models: np.ndarray, without: int | None = None) -> None:
    """A PDB file of several models whose residues move with their C-alpha; one may lack a residue."""
    text = ""
    for number, model in enumerate(models, start=1):
        step = model - structure.ca
        placed = replace(structure, n=structure.n + step, ca=model, c=structure.c + step)
        lines = pdb_text(placed).replace("END\n", "")
        if number == 2 and without is not None:
            lines = "".join(line for line in lines.splitlines(True) if int(line[22:26]) != without)
        text += f"MODEL     {number:4d}\n{lines}ENDMDL\n"
    path.write_text(text + "END\n")


def add_alternate(residue: gemmi.Residue, apart: float) -> None:
    """Give the C-alpha a second, rarer place some Å away, with displacements of its own."""
    atom = residue["CA"][0]
    rare = atom.clone()
    atom.altloc, atom.occ, rare.altloc, rare.occ = "A", 0.7, "B", 0.3
    rare.pos = atom.pos + gemmi.Position(apart, 0.0, 0.0)
    rare.aniso = gemmi.SMat33f(9.0, 9.0, 9.0, 0.0, 0.0, 0.0)
    residue.add_atom(rare)


def write_document(document: gemmi.Structure, path: Path, ending: str) -> None:
    """Write as PDB, or as mmCIF in its place."""
    document.setup_entities()
    if ending == ".pdb":
        document.write_pdb(str(path))
    else:
        path.unlink(missing_ok=True)
        document.make_mmcif_document().write_file(str(path.with_suffix(".cif")))


@pytest.mark.parametrize("ending", [".pdb", ".cif"])
def test_models_of_one_file(protein: Structure, tmp_path: Path, ending: str) -> None:
    """An NMR file is an ensemble of independent conformers; a residue that one model lacks is left out of all."""
    displacements, truth = motion(protein, 150)
    write_models(tmp_path / "nmr.pdb", protein, tumbled(protein.ca + displacements), without=7)
    document = gemmi.read_structure(str(tmp_path / "nmr.pdb"))
    for model in document:
        add_alternate(model["A"][3], 15.0)
    write_document(document, tmp_path / "nmr.pdb", ending)
    result = prepared(tmp_path)["nmr"]
    assert (result.kind, result.conformations, result.effective_samples) == ("models", 150, 150.0)
    assert "7" not in result.structure.residue_ids
    assert len(result.structure) == SIZE - 1
    # The file's N and C do not turn with the tumbling model 1: compare what does not depend on them.
    sizes = np.trace(np.delete(truth, 6, axis=0), axis1=1, axis2=2)
    assert error(result.rmsf**2, sizes) < 0.25


@pytest.mark.parametrize("ending", [".pdb", ".cif"])
def test_anisotropic_displacements(protein: Structure, tmp_path: Path, ending: str) -> None:
    """A crystal's U of each C-alpha is turned into the local frame; no coupling; a residue without it is left out."""
    generator = np.random.default_rng(1)
    roots = generator.normal(0, 0.3, (SIZE, 3, 3))
    displacements = roots @ np.swapaxes(roots, 1, 2) + 0.02 * np.eye(3)
    document = gemmi.read_pdb_string(pdb_text(protein))
    for k, residue in enumerate(document[0]["A"]):
        for atom in residue:
            if k != 9:
                u = displacements[k] if atom.name == "CA" else np.eye(3)
                atom.aniso = gemmi.SMat33f(u[0, 0], u[1, 1], u[2, 2], u[0, 1], u[0, 2], u[1, 2])
    add_alternate(document[0]["A"][3], 1.0)
    write_document(document, tmp_path / "crystal.pdb", ending)
    result = prepared(tmp_path)["crystal"]
    assert result.kind == "crystal"
    assert result.coupling is None
    assert len(result.structure) == SIZE - 1
    rotations = np.delete(protein.rotations, 9, axis=0)
    expected = np.swapaxes(rotations, 1, 2) @ np.delete(displacements, 9, axis=0) @ rotations
    assert error(result.marginals, expected) < 2e-3
    assert error(result.marginals, np.delete(displacements, 9, axis=0)) > 0.2, "the turn is not seen at all"


def test_faults_of_a_file_cost_its_displacements_and_not_its_models(protein: Structure, tmp_path: Path) -> None:
    """With a stray record, models are read all the same; a crystal, whose U cannot be read, fails and says why."""
    write_models(tmp_path / "nmr.pdb", protein, protein.ca + motion(protein, 8)[0])
    whole = prepared(tmp_path)["nmr"]
    (tmp_path / "crystal.pdb").write_text(pdb_text(protein))
    stray = "ANISOU    1  N   ALA A   1      100    100    100      0      0      0       N\n"
    for file in tmp_path.iterdir():
        file.write_text(stray + file.read_text())
    sources = {source.name: source for source in find_sources([tmp_path])}
    np.testing.assert_array_equal(prepare_protein(sources["nmr"]).marginals, whole.marginals)
    with pytest.raises(TrainingDataError, match=r"without ANISOU .* departs from the PDB format .* only its coord"):
        prepare_protein(sources["crystal"])


@pytest.fixture
def conformer_folder(protein: Structure, tmp_path: Path) -> Path:
    """Crystals of one protein, numbered apart; one lacks a loop, one is a fragment, one beside another protein."""
    folder = tmp_path / "adk"
    folder.mkdir()
    models = tumbled(protein.ca + motion(protein, 24)[0])
    for k, model in enumerate(models):
        step = model - protein.ca
        numbers = [str(r + 1 + 10 * (k % 3)) for r in range(SIZE)]
        conformer = Structure.from_arrays(
            protein.n + step, model, protein.c + step, protein.sequence, residue_ids=numbers
        )
        lines = pdb_text(conformer).splitlines(True)
        if k == 4:
            lines = [line for line in lines if not (line[:4] == "ATOM" and 12 <= int(line[22:26]) - 10 * (k % 3) <= 15)]
        if k == 12:  # a fragment, which would cost all others the rest
            lines = lines[: 3 * 10]
        if k == 8:
            partner = moved(random_protein(77, (50,)), np.eye(3), np.array([60.0, 0.0, 0.0]))
            lines[-1:] = pdb_text(replace(partner, chain_ids=np.full(50, "P"))).splitlines(True)
        (folder / f"entry{k:02}.pdb").write_text("".join(lines))
    return folder


def test_conformers_are_matched_by_sequence(protein: Structure, conformer_folder: Path) -> None:
    """Residues common to all conformers are labelled, however they are numbered; other proteins are left out."""
    (source,) = find_sources([conformer_folder], conformers=True)
    result = prepare_protein(source)
    assert (result.name, result.kind, result.conformations) == ("adk", "conformers", 23)
    assert len(result.structure) == SIZE - 4
    assert result.structure.sequence == protein.sequence[:11] + protein.sequence[15:]
    displacements = np.delete(motion(protein, 24)[0], 12, axis=0)
    truth = np.delete(displacements, range(11, 15), axis=1).std(0)
    assert np.corrcoef(result.rmsf, np.linalg.norm(truth, axis=1))[0, 1] > 0.9
    assert result.structure.notices == (
        "Left out chains of another sequence: 1.",
        "Left out chains with less than 80% of the residues: 1.",
    )


def test_superposition_takes_out_any_rigid_motion(protein: Structure) -> None:
    """Frames that only tumble fall onto the reference, and tumbling does not change the result."""
    still = np.repeat(protein.ca[None], 6, axis=0)
    rotations, shifts = superpose_ensemble(tumbled(still), protein.ca)
    np.testing.assert_allclose(tumbled(still) @ rotations + shifts, still, atol=1e-6)
    mirrored = still * [1.0, 1.0, -1.0]
    np.testing.assert_allclose(np.linalg.det(superpose_ensemble(mirrored, protein.ca)[0]), 1.0)
    frames = protein.ca + motion(protein, 40)[0]
    placed = []
    for seed in (1, 2):
        seen = tumbled(frames, seed)
        rotations, shifts = superpose_ensemble(seen, protein.ca)
        placed.append(seen @ rotations + shifts)
    assert np.abs(placed[0] - placed[1]).max() < 0.02


def test_superposition_counts_residues_by_their_weights(protein: Structure) -> None:
    """Residues of weight 0 move along, however they lie; the others fit as they do alone."""
    frames = tumbled(protein.ca + motion(protein, 5)[0])
    core = np.arange(SIZE) < 20
    alone = superpose(frames[:, core], protein.ca[core])
    weighted = superpose(frames + 50.0 * ~core[:, None], protein.ca, 7.0 * core)
    for found, expected in zip(weighted, alone, strict=True):
        np.testing.assert_allclose(found, expected, atol=1e-9)


def test_effective_samples_of_a_known_memory() -> None:
    """A first-order process with memory a has (1 - a)/(1 + a) independent samples a frame; apart means one each."""
    generator = np.random.default_rng(0)
    memory, length = 0.9, 4000
    series = np.zeros((length, 5, 3))
    for t in range(1, length):
        series[t] = memory * series[t - 1] + generator.normal(0, 1, (5, 3))
    series -= series.mean(0)
    found = effective_samples(series, np.zeros(length, dtype=int))
    assert 0.8 < found / (length * (1 - memory) / (1 + memory)) < 1.25
    independent = generator.normal(0, 1, (length, 5, 3))
    one_slow = independent.copy()
    one_slow[:, 0] = 50.0 * series[:, 0]
    assert effective_samples(one_slow, np.zeros(length, dtype=int)) > 2 * found, "one residue speaks for all"
    assert effective_samples(independent, np.zeros(length, dtype=int)) > 0.85 * length
    assert effective_samples(independent, np.arange(length)) == length
    apart = np.concatenate([independent[:100] * 0.01 + 1.0, independent[:100] * 0.01 - 1.0])
    assert effective_samples(apart, np.repeat([0, 1], 100)) < 4.0


def test_halves_disagree_where_sampling_does(protein: Structure) -> None:
    """Two halves of one Gaussian agree; a trajectory whose second half moves elsewhere does not."""
    displacements = motion(protein, 400)[0]
    together = np.zeros(400, dtype=int)
    assert split_half_rmsf_r(displacements, together) > 0.9
    turned = np.concatenate([displacements[:200], displacements[200:, ::-1]])
    assert split_half_rmsf_r(turned, together) < 0.8
    assert np.isnan(split_half_rmsf_r(np.zeros((4, SIZE, 3)), np.arange(4)))


def test_a_prepared_protein_survives_its_file(atlas: Path, tmp_path: Path) -> None:
    """All fields come back; coordinates and coupling to single precision."""
    result = prepared(atlas)["1abc_A"]
    result.save(tmp_path / "one.npz")
    again = PreparedProtein.load(tmp_path / "one.npz")
    np.testing.assert_array_equal(again.marginals, result.marginals)
    for name in ("coupling", "mean", "frames"):
        np.testing.assert_allclose(getattr(again, name), getattr(result, name), rtol=1e-5, atol=1e-5)
    for name in ("kind", "conformations", "trajectories", "effective_samples", "source", "licence", "cluster"):
        assert getattr(again, name) == getattr(result, name)
        assert type(getattr(again, name)) is type(getattr(result, name))
    assert again.backbone_rebuilt is False
    assert again.breaks == result.breaks == 0
    np.testing.assert_array_equal(again.structure.rotations, result.structure.rotations)
    with pytest.raises(TrainingDataError, match="no such file"):
        PreparedProtein.load(tmp_path / "two.npz")
    np.savez(tmp_path / "other.npz", marginals=result.marginals)
    with pytest.raises(TrainingDataError, match="prepare"):
        PreparedProtein.load(tmp_path / "other.npz")
    with np.load(tmp_path / "one.npz") as file:
        arrays = dict(file)
    np.savez(tmp_path / "lacking.npz", **{name: array for name, array in arrays.items() if name != "ca"})
    with pytest.raises(TrainingDataError, match=r"lacking\.npz: is damaged: the array 'ca' is missing"):
        PreparedProtein.load(tmp_path / "lacking.npz")
    np.savez(tmp_path / "old.npz", **arrays | {"format": "dynaprot-protein-1"})
    with pytest.raises(TrainingDataError, match=r"dynaprot-protein-1, which this version .* cannot read"):
        PreparedProtein.load(tmp_path / "old.npz")


def test_finished_files_are_kept_and_damaged_ones_redone(
    protein: Structure, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second run makes what is missing, damaged, or of another source or format; no half-written file is left."""
    inputs, output = tmp_path / "in", tmp_path / "out"
    inputs.mkdir()
    for k in range(3):
        write_models(inputs / f"nmr{k}.pdb", protein, protein.ca + motion(protein, 8, seed=k)[0])
    sources = find_sources([inputs])
    assert [outcome.kept for outcome in prepare(sources, output, jobs=1)] == [False] * 3
    whole = (output / "nmr1.npz").read_bytes()
    (output / "nmr1.npz").write_bytes(whole[: len(whole) // 2])
    (output / "nmr2.npz").unlink()
    assert [outcome.kept for outcome in prepare(sources, output, jobs=1)] == [True, False, False]
    assert (PreparedProtein.load(output / "nmr1.npz").marginals == prepare_protein(sources[1]).marginals).all()
    others = [replace(source, description="other frames") for source in sources]
    assert not any(outcome.kept for outcome in prepare(others, output, jobs=1))
    monkeypatch.setattr(prepared_format, "FORMAT", "dynaprot-protein-3")
    assert not any(outcome.kept for outcome in prepare(others, output, jobs=1))
    assert {path.name for path in output.iterdir()} == {"nmr0.npz", "nmr1.npz", "nmr2.npz"}


def test_processes_give_what_one_gives(protein: Structure, tmp_path: Path) -> None:
    """Two processes write the same labels as none."""
    for k in range(2):
        write_models(tmp_path / f"nmr{k}.pdb", protein, protein.ca + motion(protein, 8, seed=k)[0])
    sources = find_sources([tmp_path])
    alone = {outcome.name: outcome for outcome in prepare(sources, tmp_path / "alone", jobs=1)}
    together = {outcome.name: outcome for outcome in prepare(sources, tmp_path / "together", jobs=2)}
    assert alone.keys() == together.keys() == {"nmr0", "nmr1"}
    for name in alone:
        first, second = PreparedProtein.load(alone[name].path), PreparedProtein.load(together[name].path)
        np.testing.assert_allclose(first.marginals, second.marginals, rtol=1e-9)


def test_broken_trajectories_are_said_and_left_out(
    protein: Structure, simulation: Simulation, atlas: Path, tmp_path: Path
) -> None:
    """One broken replica costs its own frames; where all are broken, or nothing says what they are of, it fails."""
    for file in atlas.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    second = tmp_path / "1abc_A_prod_R2_fit.xtc"
    second.write_bytes(second.read_bytes()[:1000] + b"rubbish" * 50)
    third = tmp_path / "1abc_A_prod_R3_fit.xtc"
    torn = simulation.atoms(motion(protein, 20)[0])
    torn[11, 1 + 5 * 16 :] += 50.0
    simulation.write(third, torn)
    (tmp_path / "2abc_A_prod_R1_fit.xtc").write_bytes(b"nothing")
    (tmp_path / "2abc_A.pdb").write_bytes((tmp_path / "1abc_A.pdb").read_bytes())
    (tmp_path / "3abc_A_prod_R1_fit.xtc").write_bytes(third.read_bytes())
    (tmp_path / "4abc_A.zip").write_bytes(b"PK no zip")
    outcomes = {outcome.name: outcome for outcome in prepare(find_sources([tmp_path]), tmp_path / "out", jobs=1)}
    assert outcomes["1abc_A"].path is not None
    broken, apart = outcomes["1abc_A"].messages
    assert "1abc_A_prod_R2_fit.xtc" in broken
    assert "1abc_A_prod_R3_fit.xtc" in apart
    assert "torn after residue A" in apart
    assert PreparedProtein.load(outcomes["1abc_A"].path).conformations == FRAMES // 3
    for name, reason in (("2abc_A", "2abc_A_prod_R1_fit.xtc"), ("3abc_A", "3abc_A.pdb"), ("4abc_A", "zip")):
        assert outcomes[name].path is None
        assert reason in outcomes[name].messages[0]


def test_a_coordinate_that_is_not_a_number_is_found(protein: Structure, simulation: Simulation, tmp_path: Path) -> None:
    """A simulation that blew up is left out."""
    simulation.write(tmp_path / "molecule.pdb", simulation.positions[None])
    atoms = simulation.atoms(motion(protein, 20)[0])
    atoms[7, 38] = np.nan  # a C-alpha
    simulation.write(tmp_path / "blown.dcd", atoms)
    (source,) = find_sources([tmp_path / "blown.dcd"], topology=tmp_path / "molecule.pdb")
    with pytest.raises(TrainingDataError, match=r"Left out blown.dcd: a coordinate is not finite"):
        prepare_protein(source)


def test_sources_that_say_nothing_of_motion_fail_by_name(protein: Structure, tmp_path: Path) -> None:
    """One model without ANISOU, and two conformations, are refused; so is a path with nothing in it."""
    (tmp_path / "still.pdb").write_text(pdb_text(protein))
    write_models(tmp_path / "two.pdb", protein, protein.ca + motion(protein, 2)[0])
    outcomes = {outcome.name: outcome for outcome in prepare(find_sources([tmp_path]), tmp_path / "out", jobs=1)}
    assert "without ANISOU" in outcomes["still"].messages[0]
    assert "2 conformations are too few" in outcomes["two"].messages[0]
    (tmp_path / "empty").mkdir()
    with pytest.raises(TrainingDataError, match="holds no trajectory"):
        find_sources([tmp_path / "empty"])
    with pytest.raises(TrainingDataError, match="no such file"):
        find_sources([tmp_path / "absent"])
    with pytest.raises(TrainingDataError, match="more than once"):
        find_sources([tmp_path / "still.pdb", tmp_path / "still.pdb"])


@pytest.mark.parametrize(("package", "file"), [("mdtraj", "1abc_A_R1.xtc"), ("h5py", "1abcA00.h5")])
def test_a_missing_reader_says_what_to_install(
    package: str, file: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without mdtraj or h5py, one sentence with the pip command."""
    (tmp_path / file).write_bytes(b"")
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(TrainingDataError, match=rf'{package}.*pip install "dynaprot\[train\]"'):
        prepared(tmp_path)


@pytest.fixture
def archives(tmp_path: Path) -> Path:
    """Packed archives (docs/data.md): two simulated proteins, and the same as crystals."""
    proteins = [random_protein(k, (length,)) for k, length in ((1, 20), (2, 26))]
    frames = [protein.ca + motion(protein, count)[0] for protein, count in zip(proteins, (40, 60), strict=True)]
    common = {
        "name": np.array(["1abc:A", "2abc:A"]),
        "seq": np.array([protein.sequence for protein in proteins]),
        "cluster": np.array([7, 9]),
        "offset": np.array([0, 20, 46]),
        "N": np.concatenate([protein.n for protein in proteins]),
        "CA": np.concatenate([protein.ca for protein in proteins]),
        "C": np.concatenate([protein.c for protein in proteins]),
    }
    np.savez(
        tmp_path / "ensembles.npz",
        **common,
        n_frames=np.array([40, 60]),
        frames=np.concatenate([ensemble.ravel() for ensemble in frames]).astype(np.float32),
        traj=np.concatenate([np.repeat([0, 1], 20), np.repeat([0, 1, 2], 20)]),
    )
    np.savez(tmp_path / "crystals.npz", **common, U=np.tile([0.1, 0.2, 0.3, 0.01, 0.02, 0.03], (46, 1)))
    np.savez(tmp_path / "backbones.npz", **common)
    return tmp_path


def test_packed_archives(archives: Path) -> None:
    """Each protein of an archive is found with its own frames, trajectories and cluster."""
    found = {source.name: prepare_protein(source) for source in find_sources([archives / "ensembles.npz"])}
    assert list(found) == ["1abc_A", "2abc_A"]
    second = found["2abc_A"]
    assert (second.conformations, second.trajectories, second.cluster) == (60, 3, "9")
    protein = random_protein(2, (26,))
    assert np.corrcoef(second.rmsf, np.linalg.norm(motion(protein, 60)[0].std(0), axis=1))[0, 1] > 0.97
    # N and C, which the archive does not know, stay at their bonds.
    bonds = np.linalg.norm(second.frames[:, :, 0] - second.frames[:, :, 1], axis=-1)
    np.testing.assert_allclose(
        bonds, np.broadcast_to(np.linalg.norm(protein.n - protein.ca, axis=1), bonds.shape), rtol=1e-4
    )
    crystal = {source.name: prepare_protein(source) for source in find_sources([archives / "crystals.npz"])}["1abc_A"]
    u = np.array([[0.1, 0.01, 0.02], [0.01, 0.2, 0.03], [0.02, 0.03, 0.3]])
    np.testing.assert_allclose(crystal.marginals_in_place, np.broadcast_to(u, (20, 3, 3)), atol=1e-9)
    with pytest.raises(TrainingDataError, match="holds no trajectory"):
        find_sources([archives / "backbones.npz"])


def test_what_an_archive_states_about_its_ensembles_is_kept(archives: Path) -> None:
    """The agreement of halves, where it is known better than the frames tell, and that a backbone was rebuilt."""
    with np.load(archives / "ensembles.npz") as file:
        arrays = dict(file)
    stated = {"n_entries": np.array([5, 6]), "split_half_rmsf_r": [0.71, 0.83], "backbone_rebuilt": [True, False]}
    np.savez(archives / "conformers.npz", **arrays | stated)
    found = [prepare_protein(source) for source in find_sources([archives / "conformers.npz"])]
    assert [protein.kind for protein in found] == ["conformers"] * 2
    assert [protein.split_half_rmsf_r for protein in found] == [0.71, 0.83]
    assert [protein.backbone_rebuilt for protein in found] == [True, False]


def test_archives_that_lack_something_are_refused_by_name(archives: Path) -> None:
    """An array that is missing, and any damage to the compressed stream."""
    with np.load(archives / "ensembles.npz") as file:
        arrays = dict(file)
    np.savez(archives / "nameless.npz", **{name: array for name, array in arrays.items() if name != "name"})
    with pytest.raises(TrainingDataError, match=r"nameless\.npz: lacks .*name"):
        find_sources([archives / "nameless.npz"])
    np.savez_compressed(archives / "damaged.npz", **arrays)
    whole = (archives / "damaged.npz").read_bytes()
    generator = np.random.default_rng(0)
    for start in generator.integers(0, len(whole) - 8, 40):
        (archives / "damaged.npz").write_bytes(whole[:start] + generator.bytes(8) + whole[start + 8 :])
        with suppress(TrainingDataError):
            find_sources([archives / "damaged.npz"])
        with pytest.raises(TrainingDataError, match=r"damaged\.npz"):
            read_rmsf_chains(archives / "damaged.npz")


def relative(sequence: str, identity: float, generator: np.random.Generator) -> str:
    """A sequence of one family: that share of letters stays."""
    letters = list("ACDEFGHIKLMNPQRSTVWY")
    return "".join(a if generator.random() < identity else generator.choice(letters) for a in sequence)


def test_families_are_clustered_and_strangers_are_not() -> None:
    """45 % identity, also of a domain inside a longer chain, joins; 40 random sequences stay on their own."""
    generator = np.random.default_rng(0)
    strangers = ["".join(generator.choice(list("ACDEFGHIKLMNPQRSTVWY"), length)) for length in range(60, 260, 5)]
    sequences = {f"s{k}": [sequence] for k, sequence in enumerate(strangers)}
    assert len(set(sequence_clusters(sequences).values())) == 40
    sequences |= {f"r{k}": [strangers[0] * (k == 30), relative(strangers[k], 0.45, generator)] for k in (10, 20, 30)}
    sequences["domain"] = [strangers[1] + relative(strangers[20], 0.45, generator) + strangers[2]]
    clusters = sequence_clusters({name: [chain for chain in chains if chain] for name, chains in sequences.items()})
    assert clusters["r10"] == clusters["s10"]
    assert clusters["r20"] == clusters["s20"] == clusters["domain"]
    assert clusters["r30"] == clusters["s30"] == clusters["s0"], "one chain in common is enough"
    assert clusters["s3"] != clusters["s4"]


def test_alignment_finds_the_missing_loop() -> None:
    """Residues beside a missing stretch are matched with their own."""
    i, j = align("MKTAYIAKQRQISFVKSHFSRQ", "MKTAYIAKSFVKSHFSRQ").matched
    np.testing.assert_array_equal(i, [*range(8), *range(12, 22)])
    np.testing.assert_array_equal(j, np.arange(18))


def test_splits_never_part_a_cluster() -> None:
    """Whole clusters go to one side, shares come out, the seed decides, and nothing is lost."""
    generator = np.random.default_rng(0)
    clusters = {f"p{k}": str(min(generator.geometric(0.05), 40)) for k in range(200)}
    split = split_by_cluster(clusters, seed=3)
    sides = [{clusters[name] for name in part} for part in (split.train, split.validation, split.test)]
    assert len(sides[0] | sides[1] | sides[2]) == sum(map(len, sides)), "a cluster is on two sides"
    assert sorted([*split.train, *split.validation, *split.test]) == sorted(clusters)
    assert 150 <= len(split.train) <= 170
    assert min(len(split.validation), len(split.test)) >= 15
    assert split == split_by_cluster(clusters, seed=3)
    assert split != split_by_cluster(clusters, seed=4)
    assert all(
        len(part) == 1
        for part in vars(split_by_cluster({"a": "1", "b": "2", "c": "3"})).values()
        if type(part) is tuple
    )
    with pytest.raises(TrainingDataError, match="2 sequence clusters"):
        split_by_cluster({"a": "1", "b": "2", "c": "2"})


def test_clusters_are_the_sources_or_else_the_sequences(archives: Path) -> None:
    """Where every source told a cluster, that is taken; else all are found from the sequences."""
    output = archives / "out"
    list(prepare(find_sources([archives / "ensembles.npz"]), output, jobs=1))
    third = replace(PreparedProtein.load(output / "1abc_A.npz"), structure=random_protein(99, (20,)), cluster="7")
    third = replace(third, structure=replace(third.structure, name="3abc_A"))
    third.save(output / "3abc_A.npz")
    with pytest.raises(TrainingDataError, match="2 sequence clusters"):
        split_prepared(output)
    replace(third, cluster="").save(output / "3abc_A.npz")
    split = split_prepared(output)
    assert split.clusters == {name: name for name in ("1abc_A", "2abc_A", "3abc_A")}
    split.save(output / "split.json")
    assert split == Split.load(output / "split.json")
    (output / "split.json").write_text("{}")
    with pytest.raises(TrainingDataError, match="not a split"):
        Split.load(output / "split.json")


def chain_lists(folder: Path, counts: tuple[int, ...], ending: str, prefix: str) -> None:
    """Lists of made-up chains as AlphaFlow's CSV, or as FlexPert's arrays or text."""
    names = [f"{k:04x}_A" for k in range(sum(counts))]
    for part, count in zip(("train", "val", "test"), counts, strict=True):
        some, names = names[:count], names[count:]
        path = folder / f"{prefix}_{part}{ending}"
        if ending == ".csv":
            path.write_text("name,seqres,release_date\n" + "".join(f"{name},MKV,2020-01-01\n" for name in some))
        elif ending == ".txt":
            path.write_text("\n".join(some) + "\n")
        else:
            np.save(path, np.array(some))


def test_the_published_splits_are_read_from_their_lists(tmp_path: Path) -> None:
    """AlphaFlow's CSV and FlexPert's lists, in one folder; counts are checked, pickles refused."""
    chain_lists(tmp_path, (1265, 39, 82), ".csv", "atlas")
    chain_lists(tmp_path, (1112, 139, 139), ".npy", "flexpert_chains")
    for name, counts in (("alphaflow", (1265, 39, 82)), ("flexpert", (1112, 139, 139))):
        split = published_split(name, tmp_path)
        assert (len(split.train), len(split.validation), len(split.test)) == counts
    text = tmp_path / "text"
    text.mkdir()
    chain_lists(text, (1112, 139, 139), ".txt", "flexpert")
    assert published_split("flexpert", text) == split
    with pytest.raises(TrainingDataError, match="1112/139/139 chains; the split 'alphaflow' has 1265/39/82"):
        published_split("alphaflow", text)
    np.save(tmp_path / "flexpert_chains_val.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(TrainingDataError, match="cannot be read"):
        published_split("flexpert", tmp_path)
    (tmp_path / "flexpert_chains_val.npy").unlink()
    with pytest.raises(TrainingDataError, match="found"):
        published_split("flexpert", tmp_path)


def test_alphaflows_split_is_fetched_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From its authors' address, here a folder; without a network the message says what else to do."""
    chain_lists(tmp_path, (1265, 39, 82), ".csv", "atlas")
    monkeypatch.setattr(splits, "ALPHAFLOW", f"{tmp_path.as_uri()}/atlas_{{part}}.csv")
    assert published_split("alphaflow") == published_split("alphaflow", tmp_path)
    monkeypatch.setattr(splits, "ALPHAFLOW", f"{tmp_path.as_uri()}/gone_{{part}}.csv")
    with pytest.raises(TrainingDataError, match=r"gone_train\.csv failed.*--split-lists"):
        published_split("alphaflow")


def test_the_command_prepares_reports_and_splits(protein: Structure, tmp_path: Path) -> None:
    """One run: files, one line a failure, a split; nothing at all is an error."""
    inputs = tmp_path / "in"
    inputs.mkdir()
    for k in range(3):
        other = random_protein(40 + k, (SIZE,))
        write_models(inputs / f"nmr{k}.pdb", other, other.ca + motion(other, 8)[0])
    (inputs / "still.pdb").write_text(pdb_text(protein))
    done = run("prepare", inputs, "-o", "out", "--licence", "CC0", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "3 proteins prepared, 0 kept, 1 failed" in done.stdout
    assert "1 to train, 1 to validate, 1 to test" in done.stdout
    assert sum("Failed: still:" in line for line in done.stderr.splitlines()) == 1
    assert PreparedProtein.load(tmp_path / "out" / "nmr0.npz").licence == "CC0"
    assert len(Split.load(tmp_path / "out" / "split.json").train) == 1
    done = run("prepare", inputs / "nmr0.pdb", "-o", "alone", folder=tmp_path)
    assert done.returncode == 0, "one protein is enough to prepare, though not to split"
    assert "No split was made" in done.stderr
    done = run("prepare", inputs, "--split", "flexpert", "-o", "listed", folder=tmp_path)
    assert done.returncode == 1
    assert "--split-lists" in done.stderr
    assert not (tmp_path / "listed").exists(), "said before the work"
    done = run("prepare", inputs / "still.pdb", "-o", "none", folder=tmp_path)
    assert done.returncode == 1
    assert "Nothing could be prepared" in done.stderr
