"""Files as people bring them: joined, renamed, shifted, cut, incomplete. Read for what they are, or refused; never
silently something else."""

from __future__ import annotations

import csv
import gzip
import http.client
import os
import pickle
import urllib.request
from pathlib import Path

import gemmi
import numpy as np
import pytest

from dynaprot import Dynamics, Structure, StructureError, command_line, load_structure, predict
from dynaprot.figures.pictures import draw_rmsf
from dynaprot.files.results import write_result
from dynaprot.notices import KINDS, Notice, kinds_of_residues
from dynaprot.structure import documents
from dynaprot.structure.completion import backbone_faults, complete_backbone

from .conftest import ROOT, shared_structures

STRUCTURES = ROOT / "tests" / "structures"
WHOLE = gzip.decompress((STRUCTURES / "2igd.pdb.gz").read_bytes()).decode().splitlines()[:-1]
"""ATOM lines of N, CA, C and O of one chain of 61 residues."""
FIRST = WHOLE[:64]
"""Its first 16 residues."""


def moved(lines: list[str], x: float = 14.0, chain: str | None = None) -> list[str]:
    """The same residues elsewhere along x, in a chain of another name."""
    shifted = [f"{line[:30]}{float(line[30:38]) + x:8.3f}{line[38:]}" for line in lines]
    return shifted if chain is None else [f"{line[:21]}{chain}{line[22:]}" for line in shifted]


def read(folder: Path, lines: list[str], name: str = "file.pdb") -> Structure:
    """Write lines to a file and load it."""
    path = folder / name
    path.write_text("\n".join(lines) + "\n")
    return load_structure(path)


def kinds(structure: Structure) -> list[str]:
    """Kinds of its notices."""
    return [notice.kind for notice in structure.notices]


def as_cif(lines: list[str]) -> gemmi.cif.Document:
    """The same atoms as mmCIF."""
    structure = gemmi.read_pdb_string("\n".join(lines))
    structure.setup_entities()
    structure.name = "ONE"
    return structure.make_mmcif_document(gemmi.MmcifOutputGroups(False, atoms=True))


# Chains -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("chain", [" ", "A"])
@pytest.mark.parametrize("between", [["TER"], []], ids=["TER", "numbers start again"])
def test_chains_that_share_a_name_or_have_none_stay_apart(tmp_path: Path, chain: str, between: list[str]) -> None:
    """Their numbers start again: two chains of 16 residues, no atom of one in a residue of the other."""
    lines = [*moved(FIRST, 0.0, chain), *between, *moved(FIRST, 14.0, chain), "TER", "END"]
    structure = read(tmp_path, lines)
    assert len(structure) == 32
    assert structure.chain_ids.tolist() == ["A"] * 16 + ["B" if chain == " " else "A-2"] * 16
    assert structure.next_residue.tolist() == [*range(1, 16), -1, *range(17, 32), -1]
    (notice,) = structure.notices
    assert notice.kind == "chains"
    assert notice.residues.tolist() == list(range(32))
    assert load_structure(tmp_path / "file.pdb", chains=structure.chain_ids[31]).ca[0, 0] == structure.ca[16, 0]


def test_chains_without_a_name_end_where_the_file_says_so(tmp_path: Path) -> None:
    """Amber numbers all chains through, and tells them apart by TER alone; a named chain may go on after TER."""
    for chain, expected in ((" ", ["A"] * 8 + ["B"] * 8), ("Q", ["Q"] * 16)):
        lines = moved(FIRST, 0.0, chain)
        assert read(tmp_path, [*lines[:32], "TER", *lines[32:], "END"]).chain_ids.tolist() == expected


def test_segments_tell_chains_without_a_name_apart(tmp_path: Path) -> None:
    """CHARMM names segments, in columns 73 to 76."""
    lines = [f"{line[:72]}PRO{s}{line[76:]}" for s in "AB" for line in moved(FIRST, 14.0 * (s == "B"), " ")]
    assert read(tmp_path, lines).chain_ids.tolist() == ["A"] * 16 + ["B"] * 16


def test_ligands_may_have_the_numbers_of_residues(tmp_path: Path) -> None:
    """A ligand numbered 1 in chain A is no second chain, and is counted as a ligand."""
    ligand = "HETATM  900  C1  LIG A   1      30.000  30.000  30.000  1.00  0.00           C"
    structure = read(tmp_path, [*FIRST, "TER", ligand, "END"])
    assert set(structure.chain_ids) == {"A"}
    assert [(notice.kind, str(notice)) for notice in structure.notices] == [
        ("ignored", "Ignored ligands and ions: LIG.")
    ]


def test_chains_of_mmcif_that_share_the_author_s_name_stay_apart(tmp_path: Path) -> None:
    """Where only the labels differ, and where the author's names are blank."""
    document = as_cif([*FIRST, "TER", *moved(FIRST, 14.0, "B"), "END"])
    block = document.sole_block()
    names = block.find_values("_atom_site.auth_asym_id")
    for name, expected in (
        ("A", ["A", "A-2"]),
        ("?", list(dict.fromkeys(block.find_values("_atom_site.label_asym_id")))),
    ):
        for k in range(len(names)):
            names[k] = name
        path = tmp_path / "chains.cif"
        path.write_text(document.as_string())
        structure = load_structure(path)
        assert len(structure) == 32
        assert list(dict.fromkeys(structure.chain_ids)) == expected


# Joined files and models ------------------------------------------------------------------------------------------


def test_files_joined_to_one_are_read_on(tmp_path: Path) -> None:
    """`cat receptor.pdb ligand.pdb`: what stands beside the first is part of the system."""
    structure = read(tmp_path, [*FIRST, "END", *moved(FIRST, 14.0, "B"), "END"])
    assert structure.chain_ids.tolist() == ["A"] * 16 + ["B"] * 16
    assert kinds(structure) == ["chains"]


def test_frames_that_end_ends_are_models(tmp_path: Path) -> None:
    """Programs of molecular dynamics write frames one after the other: the first is read, the others are counted."""
    structure = read(tmp_path, [*FIRST, "END", *moved(FIRST, 0.8), "END", *moved(FIRST, 1.1), "END"])
    assert len(structure) == 16
    assert [(notice.kind, str(notice)) for notice in structure.notices] == [("ignored", "Read model 0 of 3.")]
    third = load_structure(tmp_path / "file.pdb", model=2)
    np.testing.assert_allclose(third.ca[:, 0], structure.ca[:, 0] + 1.1, atol=2e-3)
    assert "Read model 2 of 3." in third.notices


def test_the_models_of_an_assembly_are_read_together(tmp_path: Path) -> None:
    """Copies side by side are one system, named as in the assemblies of the PDB; further conformations are not."""
    lines = ["MODEL        1", *FIRST, "ENDMDL", "MODEL        2", *moved(FIRST), "ENDMDL", "END"]
    structure = read(tmp_path, lines, "dimer.pdb1")
    assert structure.name == "dimer"
    assert structure.chain_ids.tolist() == ["A"] * 16 + ["A-2"] * 16
    assert set(kinds(structure)) == {"chains"}
    assert len(load_structure(tmp_path / "dimer.pdb1", chains="A")) == 16
    assert len(load_structure(tmp_path / "dimer.pdb1", model=1)) == 16


def test_further_data_blocks_are_counted(tmp_path: Path) -> None:
    """The first with atoms is read; one without atoms is nothing to tell."""
    text = as_cif([*FIRST, "END"]).as_string()
    for others, expected in (
        ("data_comp_X\n_a.b 1\n", []),
        (text.replace("data_", "data_TWO"), ["ignored"]),
        (text, ["ignored"]),
    ):
        path = tmp_path / "blocks.cif"
        path.write_text(text + others)
        structure = load_structure(path)
        assert len(structure) == 16
        assert kinds(structure) == expected
    assert "first of 2 data blocks" in structure.notices[0]


def test_one_notice_counts_all_that_was_not_read(tmp_path: Path) -> None:
    """Models, nucleotides and ligands in one notice."""
    others = [
        "ATOM    900  P    DA D   1      40.000  30.000  30.000  1.00  0.00           P",
        *(f"HETATM  90{k}  ZN   ZN E   {k}      3{k}.000  30.000  50.000  1.00  0.00          ZN" for k in (1, 2)),
    ]
    lines = ["MODEL        1", *FIRST, *others, "ENDMDL", "MODEL        2", *FIRST, "ENDMDL", "END"]
    (notice,) = read(tmp_path, lines).notices
    assert notice.kind == "ignored"
    assert notice == "Read model 0 of 2. Ignored 1 nucleotide: chain D (1). Ignored ligands and ions: 2 ZN."


# Formats ----------------------------------------------------------------------------------------------------------


def test_serial_numbers_of_six_digits_do_not_shift_the_columns(tmp_path: Path) -> None:
    """With TER and ANISOU shifted as well; where the number only fills the blank before it, nothing is shifted."""
    shifted = [f"ATOM  {100000 + k}{line[11:]}" for k, line in enumerate(FIRST)]
    shifted.insert(1, "ANISOU100000  N   MET A   1      100    100    100      0      0      0       N")
    filled = [f"ATOM  {100000 + k}{line[12:]}" for k, line in enumerate(FIRST)]
    expected = read(tmp_path, FIRST)
    for lines in ([*shifted, "TER   100064      TYR A  16"], filled):
        structure = read(tmp_path, lines)
        assert structure.residue_names.tolist() == expected.residue_names.tolist()
        assert structure.chain_ids.tolist() == expected.chain_ids.tolist()
        np.testing.assert_array_equal(structure.ca, expected.ca)
        assert structure.notices == ()


@pytest.mark.parametrize(
    "wide",
    [
        (" 1429.482", "-1127.119", " -619.685"),
        ("-1001.000", "   1.000", "  20.000"),
        ("   1.000", "   1.000", "-1001.000"),
    ],
)
def test_coordinates_that_need_more_columns_are_refused(tmp_path: Path, wide: tuple[str, ...]) -> None:
    """The message names file and line, and says what to do; nothing is read one column off."""
    lines = [*FIRST[:4], f"{FIRST[4][:30]}{''.join(wide)}{FIRST[4][54:]}", *FIRST[5:]]
    with pytest.raises(StructureError, match=r"file.pdb: the coordinates in line 5, .*columns 31 to 54.*mmCIF"):
        read(tmp_path, lines)


@pytest.mark.parametrize(
    ("factor", "reason"),
    [(10.0, "ten times too large"), (0.1, "in nm must be multiplied by 10"), (3.0, "in its columns")],
)
def test_a_backbone_that_cannot_be_is_refused(tmp_path: Path, factor: float, reason: str) -> None:
    """With a word on what may be wrong."""
    lines = [
        line[:30] + "".join(f"{factor * float(line[k : k + 8]):8.3f}" for k in (30, 38, 46)) + line[54:]
        for line in FIRST
    ]
    with pytest.raises(StructureError, match=rf"file.pdb: 16 of 16 residues have an impossible backbone; .*{reason}"):
        read(tmp_path, lines)


def test_mmcif_without_label_columns_or_with_a_long_preamble_is_read(tmp_path: Path) -> None:
    """By the author's names; wherever data_ stands."""
    document = as_cif([*FIRST, "END"])
    expected = read(tmp_path, FIRST)
    path = tmp_path / "file.cif"
    path.write_text("# a comment\n" * 300 + document.as_string())
    np.testing.assert_array_equal(load_structure(path).ca, expected.ca)
    block = document.sole_block()
    columns = [tag for tag in block.find_loop("_atom_site.id").get_loop().tags if "label" not in tag]
    values = [list(block.find_values(tag)) for tag in columns]
    names = [line[12:16].strip() for line in FIRST]
    residues = [line[17:20] for line in FIRST]
    loop = "\n".join(map(" ".join, zip(*values, names, residues, strict=True)))
    tags = "\n".join([*columns, "_atom_site.auth_atom_id", "_atom_site.auth_comp_id"])
    path.write_text(f"data_X\nloop_\n{tags}\n{loop}\n")
    structure = load_structure(path)
    np.testing.assert_array_equal(structure.ca, expected.ca)
    assert structure.sequence == expected.sequence
    assert structure.residue_ids.tolist() == expected.residue_ids.tolist()
    assert structure.notices == ()


def test_gzip_is_read_as_gunzip_reads_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bytes behind it are ignored, several members are one text, whatever the file's name."""
    text = "\n".join(FIRST).encode()
    half = text.index(b"\nATOM     33") + 1
    for name in ("file.pdb.gz", "file.pdb"):
        for content in (gzip.compress(text) + b"garbage", gzip.compress(text[:half]) + gzip.compress(text[half:])):
            (tmp_path / name).write_bytes(content)
            assert len(load_structure(tmp_path / name)) == 16
    (tmp_path / "file.pdb.gz").write_bytes(gzip.compress(bytes(1 << 26)))
    with pytest.raises(StructureError, match=r"file.pdb.gz: is a binary file"):
        load_structure(tmp_path / "file.pdb.gz")
    monkeypatch.setattr(documents, "LARGEST", 1000)
    (tmp_path / "file.pdb.gz").write_bytes(gzip.compress(text))
    with pytest.raises(StructureError, match="unpacks to more than"):
        load_structure(tmp_path / "file.pdb.gz")


def test_folders_pipes_and_what_may_not_be_read_are_said_to_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Folders are refused as such, pipes are read, and permission denied is no traceback."""
    with pytest.raises(StructureError, match="is a folder"):
        load_structure(tmp_path)
    reading, writing = os.pipe()
    with os.fdopen(writing, "w") as pipe:
        pipe.write("\n".join(FIRST))
    assert len(load_structure(f"/dev/fd/{reading}")) == 16
    os.close(reading)

    def denied(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "stat", denied)
    monkeypatch.setattr(Path, "is_dir", denied)
    with pytest.raises(StructureError, match=r"x.pdb: cannot be read \(Permission denied\)"):
        load_structure(tmp_path / "x.pdb")


def test_a_download_that_is_cut_off_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """And the ids of twelve characters of the wwPDB are ids."""
    asked = []

    class Cut:
        def __enter__(self) -> Cut:
            return self

        def __exit__(self, *_: object) -> None:
            return None

        def read(self) -> bytes:
            raise http.client.IncompleteRead(b"abc", 100)

    def answer(url: str, timeout: float) -> Cut:
        asked.append(url)
        return Cut()

    monkeypatch.setattr(urllib.request, "urlopen", answer)
    for entry in ("1ade", "pdb_00001ade"):
        with pytest.raises(StructureError, match=rf"pdb:{entry}: the download from .* failed"):
            load_structure(f"pdb:{entry}")
    assert asked == ["https://files.rcsb.org/download/1ADE.cif.gz"] * 2


def test_too_little_memory_is_one_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """On the command line, whatever ran out of it."""

    def fail() -> None:
        raise MemoryError

    monkeypatch.setattr(command_line, "app", fail)
    with pytest.raises(SystemExit):
        command_line.main()
    assert "not enough memory" in capsys.readouterr().err


# Backbones --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("lost", [("N",), ("C",), ("N", "C"), ("N", "C", "O")])
def test_missing_backbone_atoms_are_rebuilt(tmp_path: Path, lost: tuple[str, ...]) -> None:
    """To a few tenths of an Å, named in a notice; the residue keeps its C-alpha and its neighbours."""
    whole = read(tmp_path, WHOLE)
    numbers = ("20", "22", "24", "40")
    lines = [
        line for line in WHOLE if not (line[22:26].strip() in numbers and line[12:16].strip() in lost)
    ]  # every second residue too
    structure = read(tmp_path, lines)
    assert len(structure) == len(whole)
    np.testing.assert_array_equal(structure.ca, whole.ca)
    np.testing.assert_allclose(structure.n, whole.n, atol=0.25)
    np.testing.assert_allclose(structure.c, whole.c, atol=0.25)
    np.testing.assert_array_equal(structure.next_residue, whole.next_residue)
    (notice,) = structure.notices
    assert notice.kind == "incomplete"
    assert structure.residue_ids[notice.residues].tolist() == list(numbers)
    assert structure.atoms is not None
    assert (structure.atoms.names == "CA").sum() == (structure.atoms.names == "N").sum() == len(structure)


def test_a_residue_between_incomplete_ones_does_not_float(tmp_path: Path) -> None:
    """Its RMSF is within a tenth of that in the whole structure, and so is that of its neighbours."""
    whole = predict(read(tmp_path, WHOLE)).rmsf
    for pair in (("57", "59"), ("10", "12")):
        lines = [line for line in WHOLE if not (line[22:26].strip() in pair and line[12:16].strip() == "N")]
        np.testing.assert_allclose(predict(read(tmp_path, lines)).rmsf, whole, rtol=0.1)


def test_both_ends_of_a_peptide_are_rebuilt_from_bond_angles() -> None:
    """With C and the next N missing at one place after the other of a real dimer, to 0.2 Å in the mean."""
    structure = load_structure(STRUCTURES / "1hpv.pdb.gz")
    errors = []
    for k in np.flatnonzero(structure.next_residue >= 0):
        n, c = structure.n.copy(), structure.c.copy()
        c[k] = n[k + 1] = np.nan
        rebuilt = complete_backbone(n, structure.ca, c, structure.chain_ids, list(structure.residue_ids), "dimer")
        errors += [np.linalg.norm(rebuilt.c[k] - structure.c[k]), np.linalg.norm(rebuilt.n[k + 1] - structure.n[k + 1])]
    assert np.mean(errors) < 0.2
    assert np.max(errors) < 1.2


def test_a_residue_with_an_impossible_bond_is_left_out_and_named(tmp_path: Path) -> None:
    """N of residue 5 is 3 Å off; the chain is broken there."""
    lines = [moved([line], 3.0)[0] if line[12:26] == " N   VAL A   5" else line for line in FIRST]
    structure = read(tmp_path, lines)
    assert structure.residue_ids.tolist() == [str(k) for k in range(1, 17) if k != 5]
    (notice,) = structure.notices
    assert notice.kind == "backbone"
    assert "A VAL 5 (N-CA is " in notice
    n, ca, c = structure.n.copy(), structure.ca, structure.c
    n[3] += [3.0, 0.0, 0.0]
    assert list(backbone_faults(n, ca, c)) == [3]
    with pytest.raises(StructureError, match=r"residue A A.. 4 cannot be that of a protein: N-CA is .* Å long"):
        Structure.from_arrays(n, ca, c, structure.sequence)


def test_c_alphas_alone_are_refused(tmp_path: Path) -> None:
    """As what they are."""
    with pytest.raises(StructureError, match=r"no backbone atom but C-alpha|no protein residue"):
        read(tmp_path, [line for line in WHOLE if line[12:16].strip() == "CA" or line[22:26].strip() == "30"])


def test_copies_in_one_place_are_noticed(tmp_path: Path) -> None:
    """Both copies are named; with one of them alone nothing is wrong."""
    structure = read(tmp_path, [*FIRST, "TER", *moved(FIRST, 0.2, "B"), "TER", "END"])
    (notice,) = structure.notices
    assert notice.kind == "overlap"
    assert notice.residues.tolist() == list(range(32))
    assert structure[structure.chain_ids == "A"].notices == ()
    assert structure[np.arange(8, 24)].notices == (), "residues 9 to 16 of A and 1 to 8 of B lie apart"
    assert structure[np.r_[:4, 16:18]].notices[0].residues.tolist() == [0, 1, 4, 5]


def test_d_amino_acids_are_noticed(tmp_path: Path) -> None:
    """By their names, and by the side on which C-beta lies."""
    named = [line.replace("ALA", "DAL") if line[22:26].strip() == "4" else line for line in FIRST]
    (notice,) = read(tmp_path, named).notices
    assert (notice.kind, notice.residues.tolist()) == ("mirrored", [3])
    whole = load_structure(STRUCTURES / "1hpv.pdb.gz")
    document = gemmi.read_pdb(str(STRUCTURES / "1hpv.pdb.gz"))
    for chain in document[0]:
        for residue in chain:
            for atom in residue:
                atom.pos.x *= -1.0
    document.write_pdb(str(tmp_path / "mirror.pdb"))
    (notice,) = load_structure(tmp_path / "mirror.pdb").notices
    assert notice.kind == "mirrored"
    assert notice.residues.tolist() == np.flatnonzero(whole.residue_names != "GLY").tolist()


# Notices ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["1hpv.pdb.gz", "1tii.pdb.gz", "2igd.pdb.gz"])
def test_a_clean_file_has_nothing_to_tell(name: str) -> None:
    """No notice of the reader's."""
    assert load_structure(STRUCTURES / name).notices == ()


@pytest.mark.skipif(not shared_structures(), reason="real data is not here")
@pytest.mark.parametrize("path", shared_structures(), ids=lambda path: path.name)
def test_real_files_are_told_of_what_is_there(path: Path) -> None:
    """No chain of an entry of the PDB is split or lies on another, and no backbone is impossible."""
    assert not {"chains", "overlap", "backbone", "format"} & set(kinds(load_structure(path))) - {"format"}


def test_notices_are_texts_with_a_kind_and_residues() -> None:
    """They print, compare, sort and travel as texts, and keep what they are about."""
    notice = Notice("Residues 3 and 4 are loose.", "loose", [2, 3])
    assert notice == "Residues 3 and 4 are loose."
    copy = pickle.loads(pickle.dumps(notice))
    assert (copy, copy.kind, copy.residues.tolist()) == (notice, "loose", [2, 3])
    assert kinds_of_residues([notice, Notice("A gap.", "gap", [3])], 5) == ["", "", "loose", "gap;loose", ""]
    with pytest.raises(ValueError, match="is not a kind of notice"):
        Notice("What?", "nonsense")
    assert "other" in KINDS


@pytest.fixture
def told(tmp_path: Path) -> Dynamics:
    """A prediction with a notice about residues of the structure, one about none, and two of its own."""
    lines = [line for line in WHOLE if not (line[22:26].strip() == "20" and line[12:16].strip() == "N")]
    zinc = "HETATM  900  ZN   ZN A 101      30.000  30.000  30.000  1.00  0.00          ZN"
    predicted = predict(read(tmp_path, [*lines, zinc]), "anm")
    own = [Notice("Residues 58 to 61 are loose.", "loose", range(57, 61)), Notice("A gap.", "gap", [19, 20])]
    return Dynamics(predicted.structure, predicted.joint, "test", own)


def test_notices_of_structure_and_prediction_are_one_list(told: Dynamics, tmp_path: Path) -> None:
    """In the prediction, in what is saved of it, and in every file that people read."""
    assert [notice.kind for notice in told.notices] == ["ignored", "incomplete", "loose", "gap"]
    told.save(tmp_path / "dynamics.npz")
    loaded = Dynamics.load(tmp_path / "dynamics.npz")
    for one, other in zip(told.notices, loaded.notices, strict=True):
        assert (one, one.kind, one.residues.tolist()) == (other, other.kind, other.residues.tolist())
    for name in ("x.csv", "x.pdb", "x.cif"):
        write_result(told, tmp_path / name)
    with open(tmp_path / "x.csv", newline="") as file:
        column = [row["notice"] for row in csv.DictReader(file)]
    assert len(column) == 61
    assert column[19] == "incomplete;gap"
    assert column[57:] == ["loose"] * 4
    assert column.count("") == 61 - 6
    remark = " ".join(
        line[11:].strip() for line in (tmp_path / "x.pdb").read_text().splitlines() if "REMARK   6" in line
    )
    text = gemmi.cif.read(str(tmp_path / "x.cif")).sole_block().find_values("_database_PDB_remark.text").str(0)
    for notice in told.notices:
        assert notice in remark
        assert notice in text


def test_notices_follow_the_residues_of_a_part(told: Dynamics) -> None:
    """Those about residues that are gone are gone too; those about none stay."""
    part = told.structure[10:30]
    assert [(notice.kind, notice.residues.tolist()) for notice in part.notices] == [
        ("ignored", []),
        ("incomplete", [9]),
    ]
    assert [notice.kind for notice in told.structure[30:].notices] == ["ignored"]


def test_a_damaged_notice_is_refused_and_an_earlier_one_is_read(told: Dynamics, tmp_path: Path) -> None:
    """Earlier versions stored sentences alone."""
    path = tmp_path / "dynamics.npz"
    told.save(path)
    with np.load(path) as file:
        arrays = dict(file)
    arrays["notices"] = np.array(["What an earlier version said."])
    np.savez(path, **arrays)
    assert Dynamics.load(path).notices[-1].kind == "other"
    for wrong in (["A gap.", "gap", "61"], ["A gap.", "nonsense", ""], ["A gap.", "gap", "-1"]):
        np.savez(path, **arrays | {"notices": np.array([wrong])})
        with pytest.raises(Exception, match="is damaged: 'notices' holds what is not a notice"):
            Dynamics.load(path)


def test_the_command_line_says_each_notice_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Those of the structure before the prediction, the others after it."""
    (tmp_path / "file.pdb").write_text("\n".join([*FIRST, "TER", *moved(FIRST, 0.2, "B"), "END"]))
    command_line.predict_command(str(tmp_path / "file.pdb"), tmp_path / "out", model="anm", pictures=False)
    assert capsys.readouterr().err.count("lie in the same place") == 1


def test_the_figure_marks_gaps_and_loose_residues(told: Dynamics, tmp_path: Path) -> None:
    """In two colours that its legend explains; without such notices there is neither."""
    plain = Dynamics(told.structure, told.joint, "test")
    for dynamics, marks in ((told, True), (plain, False)):
        draw_rmsf(dynamics, tmp_path / "rmsf.svg")
        text = (tmp_path / "rmsf.svg").read_text()
        for word in ("loosely held", "at a gap of the chain", "#c2410c", "#7c3aed"):
            assert (word in text) == marks
