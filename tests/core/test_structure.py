"""Reading structures: what is kept, what is left out and said, and what fails with one clear line."""

from __future__ import annotations

import gzip
import io
import urllib.error
import urllib.request
from dataclasses import replace
from pathlib import Path

import gemmi
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dynaprot import Atoms, Structure, StructureError, load_structure
from dynaprot.structure import backbone, geometry, protein
from dynaprot.structure.residues import one_letter_code

from .conftest import SHARED, build_chain, proteins, random_protein, shared_structures


def pdb_text(structure: Structure, extra: str = "", name_of: dict[int, str] | None = None) -> str:
    """PDB lines of a structure's backbone; `name_of` renames residues by index."""
    lines, serial = [], 1
    for k in range(len(structure)):
        name = (name_of or {}).get(k, structure.residue_names[k])
        for atom, xyz in (("N", structure.n[k]), ("CA", structure.ca[k]), ("C", structure.c[k])):
            lines.append(atom_line(serial, atom, name, structure.chain_ids[k], structure.residue_ids[k], xyz))
            serial += 1
    return "\n".join(lines) + "\n" + extra + "END\n"


def atom_line(
    serial: int,
    atom: str,
    residue: str,
    chain: str,
    number: str,
    xyz: np.ndarray,
    altloc: str = " ",
    occupancy: float = 1.0,
    record: str = "ATOM",
) -> str:
    """One coordinate line of a PDB file."""
    digits = number.rstrip("ABCDEFGH")
    icode = number[len(digits) :] or " "
    return (
        f"{record:<6}{serial:5d}  {atom:<3}{altloc}{residue:>3} {chain:1}{digits:>4}{icode}   "
        f"{xyz[0]:8.3f}{xyz[1]:8.3f}{xyz[2]:8.3f}{occupancy:6.2f}{10:6.2f}          {atom[0]:>2}"
    )


@pytest.fixture
def peptide() -> Structure:
    """Twelve residues of one chain."""
    return random_protein(3, (12,))


@pytest.fixture
def awkward() -> Structure:
    """Two chains with insertion codes, label ids of their own, a notice, and atoms in no order."""
    structure = random_protein(1, (6, 5))
    generator = np.random.default_rng(0)
    residue = generator.permutation(np.repeat(np.arange(11), 4))
    names = np.array([f"X{k}" for k in range(44)])
    return replace(
        structure,
        residue_ids=np.array(["1", "1A", "2", "-3", "52", "52A", "1", "2", "3", "3A", "3B"]),
        label_chain_ids=np.array(list("XXXXXXYYYYY")),
        label_residue_ids=np.array([str(k + 40) for k in range(11)]),
        notices=("Ignored ligands and ions: ATP.",),
        atoms=Atoms(names, np.repeat("C", 44), generator.normal(size=(44, 3)), residue),
    )


@pytest.mark.parametrize("ending", [".pdb", ".pdb.gz", ".cif", ".cif.gz"])
def test_every_format_gives_the_same_structure(peptide: Structure, tmp_path: Path, ending: str) -> None:
    """PDB and mmCIF, plain and gzipped, hold the same residues to the precision of the file."""
    document = gemmi.read_pdb_string(pdb_text(peptide))
    document.setup_entities()
    text = document.make_mmcif_document().as_string() if "cif" in ending else document.make_pdb_string()
    path = tmp_path / f"peptide{ending}"
    path.write_bytes(gzip.compress(text.encode()) if ending.endswith("gz") else text.encode())
    loaded = load_structure(path)
    assert loaded.name == "peptide"
    assert loaded.sequence == peptide.sequence
    assert loaded.residue_ids.tolist() == peptide.residue_ids.tolist()
    np.testing.assert_allclose(loaded.ca, peptide.ca, atol=6e-4)
    np.testing.assert_allclose(loaded.n, peptide.n, atol=6e-4)


def test_chains_and_models_are_chosen(tmp_path: Path) -> None:
    """Chains come by author name, in the file's order; a model that is not there is named."""
    path = tmp_path / "complex.pdb"
    path.write_text(pdb_text(random_protein(1, (8, 6, 5))))
    assert load_structure(path).chain_ids.tolist() == ["A"] * 8 + ["B"] * 6 + ["C"] * 5
    assert load_structure(path, chains="C,A").chain_ids.tolist() == ["A"] * 8 + ["C"] * 5
    assert load_structure(path, chains=["B"]).chain_ids.tolist() == ["B"] * 6
    with pytest.raises(StructureError, match=r"complex\.pdb: there is no chain 'Z'; the file has A, B, C"):
        load_structure(path, chains="Z")
    with pytest.raises(StructureError, match="there is no model 1; the file has 1"):
        load_structure(path, model=1)


def test_the_chosen_model_of_an_ensemble_is_read(tmp_path: Path) -> None:
    """Models are counted from 0 whatever their numbers in the file."""
    first, second = random_protein(1, (6,)), random_protein(2, (6,))
    bodies = [pdb_text(structure).replace("END\n", "") for structure in (first, second)]
    path = tmp_path / "nmr.pdb"
    path.write_text(f"MODEL        5\n{bodies[0]}ENDMDL\nMODEL        9\n{bodies[1]}ENDMDL\nEND\n")
    np.testing.assert_allclose(load_structure(path, model=1).ca, second.ca, atol=6e-4)
    np.testing.assert_allclose(load_structure(path).ca, first.ca, atol=6e-4)


def test_the_conformer_of_highest_occupancy_is_taken_for_the_whole_residue(peptide: Structure, tmp_path: Path) -> None:
    """No residue mixes atoms of two alternate conformers, even where one atom's occupancies tell otherwise."""
    lines = pdb_text(peptide).splitlines()
    occupancy = {"A": {"N": 0.6, "CA": 0.1, "C": 0.1}, "B": {"N": 0.4, "CA": 0.9, "C": 0.9}}
    at = {"N": peptide.n[4], "CA": peptide.ca[4], "C": peptide.c[4]}
    conformers = [
        atom_line(
            900, atom, peptide.residue_names[4], "A", "5", at[atom] + (1.0 if letter == "B" else 0.0), letter, share
        )
        for letter, shares in occupancy.items()
        for atom, share in shares.items()
    ]
    path = tmp_path / "alternate.pdb"
    path.write_text("\n".join(lines[:12] + conformers + lines[15:]) + "\n")
    loaded = load_structure(path)
    np.testing.assert_allclose(loaded.n[4], peptide.n[4] + 1.0, atol=6e-4)
    np.testing.assert_allclose(loaded.ca[4], peptide.ca[4] + 1.0, atol=6e-4)


def test_two_residue_types_at_one_position_give_one_residue(peptide: Structure, tmp_path: Path) -> None:
    """Of a microheterogeneous position the type of highest occupancy is kept."""
    lines = pdb_text(peptide).splitlines()
    both = [
        atom_line(900, atom, residue, "A", "5", xyz, letter, share)
        for residue, letter, share in (("SER", "A", 0.3), ("TRP", "B", 0.7))
        for atom, xyz in (("N", peptide.n[4]), ("CA", peptide.ca[4]), ("C", peptide.c[4]))
    ]
    path = tmp_path / "hetero.pdb"
    path.write_text("\n".join(lines[:12] + both + lines[15:]) + "\n")
    loaded = load_structure(path)
    assert len(loaded) == len(peptide)
    assert loaded.residue_names[4] == "TRP"


def test_insertion_codes_stay_apart(peptide: Structure, tmp_path: Path) -> None:
    """Residues 52, 52A and 52B are three residues with those names."""
    numbered = Structure.from_arrays(
        peptide.n,
        peptide.ca,
        peptide.c,
        peptide.sequence,
        residue_ids=["51", "52", "52A", "52B", *map(str, range(53, 61))],
    )
    path = tmp_path / "inserted.pdb"
    path.write_text(pdb_text(numbered))
    loaded = load_structure(path)
    assert loaded.residue_ids[:4].tolist() == ["51", "52", "52A", "52B"]
    assert (loaded.next_residue[:-1] == np.arange(1, 12)).all()


def test_modified_residues_have_their_parents_type(peptide: Structure, tmp_path: Path) -> None:
    """Selenomethionine is a methionine, phosphoserine a serine; an invented name is unknown and said to be."""
    path = tmp_path / "modified.pdb"
    path.write_text(pdb_text(peptide, name_of={2: "MSE", 3: "SEP", 5: "QQ9"}))
    loaded = load_structure(path)
    assert loaded.sequence[2:4] == "MS"
    assert loaded.sequence[5] == "X"
    assert loaded.residue_names[2] == "MSE"
    assert "Treated as residues of unknown type: QQ9." in loaded.notices
    names = ("PTR", "HYP", "ALA", "HIE", "CYX", "HOH", "DA", "XYZ")
    assert [one_letter_code(name) for name in names] == list("YPAHCXXX")


def test_alpha_carbons_are_carbons_where_a_file_has_no_elements(peptide: Structure, tmp_path: Path) -> None:
    """Amber writes C-alpha from column 13 and no element, which reads like calcium."""
    lines = [line[:12] + line[13:16] + " " + line[16:66] for line in pdb_text(peptide).splitlines()]
    path = tmp_path / "amber.pdb"
    path.write_text("\n".join(lines))
    loaded = load_structure(path)
    assert len(loaded) == len(peptide)
    assert set(loaded.atoms.elements) == {"C", "N"}  # type: ignore[union-attr]


def test_what_is_no_protein_is_ignored_and_named(peptide: Structure, tmp_path: Path) -> None:
    """Ligands, nucleotides, free amino acids and residues without backbone are left out, each with a notice."""
    far = np.array([90.0, 0.0, 0.0])
    others = [
        atom_line(901, "C1", "ATP", "A", "101", far, record="HETATM"),
        atom_line(902, "P", " DA", "D", "1", far + 5),
        atom_line(903, "O", "HOH", "A", "102", far + 9, record="HETATM"),
        *(
            atom_line(904, a, "GLU", "A", "103", far + x, record="HETATM")
            for a, x in (("N", 20), ("CA", 21.5), ("C", [22, 23.2, 22]))
        ),
    ]
    lines = [
        line
        for line in pdb_text(peptide).splitlines()
        if not (line[22:26].strip() == "7" and line[12:16].strip() == "CA")
    ]
    path = tmp_path / "mixture.pdb"
    path.write_text("\n".join(lines[:-1] + ["TER", *others, "END"]) + "\n")
    loaded = load_structure(path)
    assert loaded.residue_ids.tolist() == [str(k) for k in range(1, 13) if k != 7]
    assert any(
        notice.startswith("Left out 1 residue") and "A" in notice and "7 (lacks CA)" in notice
        for notice in loaded.notices
    )
    assert any("Ignored 1 nucleotide: chain D (1)." in notice for notice in loaded.notices)
    assert any("ATP" in notice and "GLU" in notice and "HOH" not in notice for notice in loaded.notices)
    assert loaded.next_residue[5] == -1, "the chain is broken where residue 7 is missing"


def test_residues_bonded_in_a_ring_are_walked_once() -> None:
    """A cyclic peptide has no first residue; positions along it are still defined."""
    following = np.array([1, 2, 3, 0, 5, -1])
    segment, from_start, to_end = backbone.chain_positions(following)
    assert segment.tolist() == [0, 0, 0, 0, 4, 4]
    assert from_start.tolist() == [0, 1, 2, 3, 0, 1]
    assert to_end.tolist() == [3, 2, 1, 0, 1, 0]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is empty"),
        (b"   \n\n", "is empty"),
        (bytes(range(256)) * 20, "is a binary file"),
        (b"hello, this is a letter\n", "no model with atoms|no protein"),
        (b"data_x\nloop_\n_atom_site.id\n", "cannot be read as PDB or mmCIF|no model with atoms"),
        (
            b"HETATM    1  O   HOH A   1      10.000  10.000  10.000  1.00 10.00           O\nEND\n",
            "no protein residue",
        ),
        (gzip.compress(b"ATOM")[:-6], "is a binary file|cannot be read"),
    ],
    ids=["empty", "blank", "binary", "letter", "broken cif", "water", "truncated gzip"],
)
def test_a_file_without_a_protein_fails_with_one_line(tmp_path: Path, content: bytes, reason: str) -> None:
    """The message names the file and the reason."""
    for name in ("bad.pdb", "bad.cif", "bad.pdb.gz"):
        path = tmp_path / name
        path.write_bytes(content if not name.endswith("gz") or content[:2] == b"\x1f\x8b" else gzip.compress(content))
        with pytest.raises(StructureError, match=reason) as caught:
            load_structure(path)
        assert name in str(caught.value)
        assert "\n" not in str(caught.value)


def test_faults_beside_the_coordinates_do_not_hide_them(peptide: Structure, tmp_path: Path) -> None:
    """A stray ANISOU record costs a notice, not the structure; what stands in the charge column not even that."""
    lines = pdb_text(peptide).splitlines()
    charged = [f"{line:<78}7x" for line in lines]
    stray = ["ANISOU    1  N   ALA A   1      100    100    100      0      0      0       N", *lines]
    for name, faulty in (("charged.pdb", charged), ("stray.pdb", stray)):
        path = tmp_path / name
        path.write_text("\n".join(faulty) + "\n")
        loaded = load_structure(path)
        np.testing.assert_allclose(loaded.ca, peptide.ca, atol=6e-4)
        assert any("departs from the PDB format" in notice for notice in loaded.notices) == (name == "stray.pdb")


def test_a_missing_file_or_a_folder_is_named(tmp_path: Path) -> None:
    """Neither ends in a traceback of the operating system, and each is called what it is."""
    for path, reason in ((tmp_path / "none.pdb", "no such file"), (tmp_path, "is a folder")):
        with pytest.raises(StructureError, match=reason):
            load_structure(path)


def test_coordinates_that_are_not_numbers_are_refused(peptide: Structure, tmp_path: Path) -> None:
    """From arrays and from files alike, naming the residue."""
    broken = peptide.ca.copy()
    broken[3] = np.nan
    with pytest.raises(StructureError, match=rf"residue A {peptide.residue_names[3]} 4"):
        Structure.from_arrays(peptide.n, broken, peptide.c, peptide.sequence)
    path = tmp_path / "nan.pdb"
    lines = pdb_text(peptide).splitlines()
    lines[10] = lines[10][:30] + "     nan     nan     nan" + lines[10][54:]
    path.write_text("\n".join(lines))
    with pytest.raises(StructureError, match=r"nan\b"):
        load_structure(path)


def test_arrays_that_do_not_fit_each_other_are_refused(peptide: Structure) -> None:
    """Shapes, lengths and collapsed residues."""
    with pytest.raises(StructureError, match=r"'c' must be an array of shape \(N, 3\)"):
        Structure.from_arrays(peptide.n, peptide.ca, peptide.c[:, :2], peptide.sequence)
    with pytest.raises(StructureError, match="'sequence' has 3 entries, but there are 12 residues"):
        Structure.from_arrays(peptide.n, peptide.ca, peptide.c, "AAA")
    with pytest.raises(StructureError, match="no residue"):
        Structure.from_arrays(np.zeros((0, 3)), np.zeros((0, 3)), np.zeros((0, 3)), "")
    with pytest.raises(StructureError, match="lie on one line"):
        Structure.from_arrays(peptide.ca - [1.5, 0, 0], peptide.ca, peptide.ca + [1.5, 0, 0], peptide.sequence)


def test_a_pdb_id_is_downloaded_only_when_asked_for(peptide: Structure, monkeypatch: pytest.MonkeyPatch) -> None:
    """pdb:ID fetches one address; a file name never does; failures are one line."""
    document = gemmi.read_pdb_string(pdb_text(peptide))
    document.setup_entities()
    asked: list[str] = []

    def answer(url: str, timeout: float) -> io.BytesIO:
        asked.append(url)
        if "9XXX" in url:
            raise urllib.error.HTTPError(url, 404, "Not Found", None, None)  # type: ignore[arg-type]
        if "8XXX" in url:
            raise urllib.error.URLError("no route")
        return io.BytesIO(gzip.compress(document.make_mmcif_document().as_string().encode()))

    monkeypatch.setattr(urllib.request, "urlopen", answer)
    with pytest.raises(StructureError, match="no such file"):
        load_structure("1ade")
    assert asked == []
    assert load_structure("pdb:1ade").sequence == peptide.sequence
    assert len(asked) == 1
    assert asked[0].endswith("1ADE.cif.gz")
    with pytest.raises(StructureError, match="pdb:9xxx: the PDB has no such entry"):
        load_structure("pdb:9xxx")
    with pytest.raises(StructureError, match=r"pdb:8xxx: the download from .* failed"):
        load_structure("pdb:8xxx")
    with pytest.raises(StructureError, match="four letters and digits"):
        load_structure("pdb:../etc")


def test_an_ideal_helix_and_a_hairpin_are_told_apart() -> None:
    """Secondary structure from hydrogen bonds of rebuilt O and H."""
    helix = build_chain(np.tile([-62.0, -42.0], (20, 1)))
    letters = Structure.from_arrays(helix[:, 0], helix[:, 1], helix[:, 2], "A" * 20).secondary_structure
    assert letters.count("H") >= 16
    assert "E" not in letters
    extended = build_chain(np.tile([-120.0, 130.0], (20, 1)))
    letters = Structure.from_arrays(extended[:, 0], extended[:, 1], extended[:, 2], "A" * 20).secondary_structure
    assert letters == "-" * 20, "a lone strand has no partner"


@given(proteins, st.integers(0, 1000))
@example(random_protein(76, (30,)), 76)  # a chain that runs through itself
@example(random_protein(251, (30,)), 381)
def test_neighbours_along_the_chain_do_not_depend_on_the_order_of_storage(structure: Structure, seed: int) -> None:
    """Bonds are found by geometry, so that a permutation of residues only permutes them."""
    order = np.random.default_rng(seed).permutation(len(structure))
    shuffled = structure[order]
    place = np.argsort(order)
    expected = np.array([place[k] if k >= 0 else -1 for k in structure.next_residue[order]])
    np.testing.assert_array_equal(shuffled.next_residue, expected)
    assert shuffled.secondary_structure == "".join(structure.secondary_structure[k] for k in order)


@given(st.integers(0, 1000), st.integers(1, 60), st.integers(0, 60))
def test_connected_parts_are_those_that_paths_join(seed: int, size: int, count: int) -> None:
    """Equals the closure of the adjacency matrix."""
    i, j = np.random.default_rng(seed).integers(0, size, (2, count))
    reach = np.eye(size, dtype=bool)
    reach[i, j] = reach[j, i] = True
    for _ in range(6):
        reach = reach @ reach
    np.testing.assert_array_equal(geometry.connected_parts(size, i, j), reach.argmax(1))


@given(st.integers(0, 1000), st.floats(1.0, 40.0))
def test_neighbour_pairs_are_those_within_the_cutoff(seed: int, cutoff: float) -> None:
    """The blocked search equals the obvious one."""
    points = np.random.default_rng(seed).normal(0, 12, (700, 3))
    i, j = geometry.neighbour_pairs(points, cutoff)
    distances = np.linalg.norm(points[:, None] - points[None], axis=-1)
    expected = np.argwhere(np.triu(distances <= cutoff, 1))
    assert abs(len(i) - len(expected)) <= 1, "rounding may move one pair across the cutoff"
    if len(i) == len(expected):
        np.testing.assert_array_equal(np.stack([i, j], 1), expected)


@pytest.mark.skipif(not shared_structures(), reason=f"real data is not here: {SHARED / 'structures'}")
@pytest.mark.parametrize("path", shared_structures(), ids=lambda path: path.name)
def test_every_awkward_real_file_loads(path: Path) -> None:
    """Nucleic acids, insertion codes, alternate conformers, 1500 residues, malformed charge columns."""
    structure = load_structure(path)
    assert len(structure) >= 60
    assert structure.atoms is not None
    assert len(set(zip(structure.chain_ids, structure.residue_ids, strict=True))) == len(structure)
    assert (np.bincount(structure.atoms.residue, minlength=len(structure)) >= 3).all()


def test_some_residues_are_a_structure(awkward: Structure) -> None:
    """By mask, indices or slice: every column, the atoms and their residues, names and notices go with them."""
    mask = awkward.chain_ids == "B"
    rows = np.flatnonzero(mask)
    for selected in (mask, rows, rows.tolist(), mask.tolist(), slice(rows[0], rows[-1] + 1)):
        part = awkward[selected]
        assert len(part) == len(rows)
        assert part.sequence == "".join(awkward.sequence[k] for k in rows)
        for name in protein.POSITIONS + protein.LABELS:
            np.testing.assert_array_equal(getattr(part, name), getattr(awkward, name)[rows])
        assert (part.name, part.notices) == (awkward.name, awkward.notices)
        assert part.atoms is not None
        assert awkward.atoms is not None
        there = mask[awkward.atoms.residue]
        np.testing.assert_array_equal(part.atoms.names, awkward.atoms.names[there])
        np.testing.assert_array_equal(part.atoms.elements, awkward.atoms.elements[there])
        np.testing.assert_array_equal(part.atoms.positions, awkward.atoms.positions[there])
        np.testing.assert_array_equal(rows[part.atoms.residue], awkward.atoms.residue[there])


def test_residues_in_another_order_keep_their_atoms(awkward: Structure) -> None:
    """Each atom stays with its residue, wherever that is stored."""
    assert awkward.atoms is not None
    part = awkward[::-1]
    assert part.atoms is not None
    np.testing.assert_array_equal(part.atoms.residue, len(awkward) - 1 - awkward.atoms.residue)
    np.testing.assert_array_equal(part.atoms.positions, awkward.atoms.positions)


@pytest.mark.parametrize(
    ("selected", "reason"),
    [
        ([99], "cannot be selected"),
        (np.ones(3, dtype=bool), "cannot be selected"),
        (slice(0, 0), "no residue was selected"),
        (np.zeros(5, dtype=bool), "no residue was selected"),
        ([1, 1], "once only"),
        ([1, -4], "once only"),
    ],
)
def test_a_selection_that_is_not_possible_is_refused(selected: object, reason: str) -> None:
    """The message names the structure and says what can be selected."""
    with pytest.raises(StructureError, match=f"random-1: .*{reason}"):
        random_protein(1, (5,))[selected]  # type: ignore[index]


def test_a_residue_is_found_by_its_author_s_name(awkward: Structure) -> None:
    """By chain and number with insertion code; otherwise the message says which there are."""
    for k in range(len(awkward)):
        assert awkward.index(awkward.chain_ids[k], awkward.residue_ids[k]) == k
    structure = random_protein(1, (5, 3))
    assert structure.index("B", 2) == 6
    with pytest.raises(StructureError, match="no chain 'Q'; the structure has 'A', 'B'"):
        structure.index("Q", "1")
    with pytest.raises(StructureError, match="chain 'B' has no residue '4'; its 3 residues are numbered from 1 to 3"):
        structure.index("B", "4")
    with pytest.raises(StructureError, match="chain 'A' has 2 residues '1'"):
        replace(structure, residue_ids=np.repeat("1", 8), chain_ids=np.array(list("ABABCDEF"))).index("A", "1")
