"""The command `dynaprot rmsf` on real structures."""

import gzip
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]
SHARED = ROOT.parent / "shared" / "data" / "structures"

NAMES = ("dynaprot_rmsf", "dynaprot_anisotropy")


def predicted(structure):
    """The residues which have been given an RMSF."""
    from chimerax.atomic import Residues

    return Residues([residue for residue in structure.residues if hasattr(residue, NAMES[0])])


def attribute(residues, name):
    return np.array([getattr(residue, name) for residue in residues])


def labels(residues):
    """Chain, number and insertion code of each residue, as the core writes them."""
    codes = zip(residues.chain_ids, residues.numbers, residues.insertion_codes, strict=True)
    return [[chain, f"{number}{code}"] for chain, number, code in codes]


def core_prediction(path, model):
    """The core's prediction from the file, past the host."""
    from chimerax.dynaprot.dynaprot import load_structure, predict

    return predict(load_structure(path), model=model)


def described(dynamics):
    """Chain, number, name and one-letter code of each residue, as the core knows them."""
    structure = dynamics.structure
    columns = structure.chain_ids, structure.residue_ids, structure.residue_names, structure.sequence
    return list(zip(*columns, strict=True))


@pytest.mark.parametrize("model", ["default", "anm"])
def test_attributes_are_the_prediction_of_the_core(run, protease, protease_file, model):
    """The residues carry what the core predicts from the file itself, read without the host."""
    (dynamics,) = run(f"dynaprot rmsf #1 model {model}")
    expected = core_prediction(protease_file, model)
    residues = predicted(protease)
    assert len(residues) == 198
    assert described(dynamics) == described(expected)
    assert labels(residues) == [label for *label, _, _ in described(expected)]
    np.testing.assert_allclose(attribute(residues, "dynaprot_rmsf"), expected.rmsf, rtol=1e-5)
    np.testing.assert_allclose(attribute(residues, "dynaprot_anisotropy"), expected.anisotropy, atol=1e-5)


def test_elastic_network(run, protease):
    """The elastic network is what `model anm` asks for, not what the core falls back to with a notice."""
    (dynamics,) = run("dynaprot rmsf #1 model anm")
    assert dynamics.model.startswith("elastic network")
    assert dynamics.notices == ()


def test_chains_are_one_complex(run, protease):
    """A chain of a dimer moves otherwise than the same chain alone."""
    chain = protease.residues.filter(protease.residues.chain_ids == "A")
    chain = chain.filter(chain.polymer_types == chain[0].PT_AMINO)
    run("dynaprot rmsf #1 model anm")
    in_dimer = attribute(chain, "dynaprot_rmsf")
    run("delete #1/B; dynaprot rmsf #1 model anm")
    assert (attribute(chain, "dynaprot_rmsf") > 1.05 * in_dimer).any()


def test_structures_are_predicted_apart(run, protease, protease_file):
    """Without a specification every open structure is predicted, and none feels the other."""
    (alone,) = run("dynaprot rmsf #1 model anm key false")
    second = run(f'open "{protease_file}"')[0]
    run("delete #2/B")
    first_dynamics, second_dynamics = run("dynaprot rmsf model anm")
    np.testing.assert_array_equal(first_dynamics.rmsf, alone.rmsf)
    assert len(predicted(second)) == len(second_dynamics.rmsf) == 99


def test_only_protein_is_touched(run, protease):
    """Ligand and water keep their colours and get no attribute."""
    others = protease.residues.filter(protease.residues.polymer_types == 0)
    assert {"478", "HOH"} <= set(others.names)
    before = others.atoms.colors
    run("dynaprot rmsf #1")
    np.testing.assert_array_equal(others.atoms.colors, before)
    assert not any(hasattr(residue, name) for residue in others for name in NAMES)


def test_colours(run, protease):
    """Cartoon and atoms run from blue, the most rigid residues, to red, the most mobile, without 2 % at either end."""
    palette = ["#2B5597", "#4F97CF", "#A6D5E4", "#F7E6A6", "#EE9A45", "#B32E1A"]
    stops = np.array([[int(color[k : k + 2], 16) for k in (1, 3, 5)] for color in palette])
    for options, ends in (("", (2, 98)), ("range full", (0, 100))):
        run(f"dynaprot rmsf #1 {options}")
        residues = predicted(protease)
        rmsf = attribute(residues, "dynaprot_rmsf")
        place = np.linspace(*np.percentile(rmsf, ends), len(stops))
        expected = np.stack([np.interp(rmsf, place, channel) for channel in stops.T], axis=-1)
        np.testing.assert_allclose(residues.ribbon_colors[:, :3], expected, atol=1)
        np.testing.assert_array_equal(residues.existing_principal_atoms.colors, residues.ribbon_colors)


def test_selection_by_attribute(run, session, protease):
    """The host's own specifications know the attribute."""
    run("dynaprot rmsf #1")
    residues = predicted(protease)
    rmsf = attribute(residues, "dynaprot_rmsf")
    limit = np.median(rmsf)
    run(f"select ::dynaprot_rmsf>{limit:.6f}")
    from chimerax.atomic import selected_residues

    assert 0 < (rmsf > limit).sum() < len(rmsf)
    assert set(selected_residues(session)) == set(residues.filter(rmsf > limit))


def test_log(run, protease, log):
    """What was predicted, by what and how fast is said once; each notice of the core is a warning."""
    (dynamics,) = run("dynaprot rmsf #1 key false")
    prediction, report = [text for level, text in log if level == "info"]
    warnings = [text for level, text in log if level == "warning"]
    assert prediction.startswith("1hpv.pdb #1: motion of 198 residues predicted in ")
    assert prediction.endswith(f" s by {dynamics.model}")
    span = f"{dynamics.rmsf.min():.2f} to {dynamics.rmsf.max():.2f} Å"
    assert report == f"1hpv.pdb #1: RMSF of 198 residues is {span}"
    assert warnings == [f"1hpv.pdb #1: {notice}" for notice in dynamics.notices]


def test_incomplete_residues_are_named(run, protease, log):
    """A residue without C-alpha is left out, one without C is rebuilt, and a warning names each."""
    run("delete #1/A:50@CA; delete #1/B:20@C,O; dynaprot rmsf #1")
    assert ["A", "50"] not in labels(predicted(protease))
    assert len(predicted(protease)) == 197
    assert ["B", "20"] in labels(predicted(protease))
    left_out = "1hpv.pdb #1: Left out 1 residue without a whole backbone: /A:50 (lacks CA)."
    assert ("warning", left_out) in log
    assert ("warning", "1hpv.pdb #1: Rebuilt missing backbone atoms: C of /B:20.") in log


def test_modified_residues_have_the_type_of_their_parent(protease):
    """Selenomethionine counts as methionine."""
    from chimerax.dynaprot.scene.backbone import protein_backbone

    _, before = protein_backbone(protease)
    methionines = protease.residues.filter(protease.residues.names == "MET")
    assert len(methionines) == 4
    methionines.names = ["MSE"] * len(methionines)
    _, after = protein_backbone(protease)
    assert after.sequence == before.sequence


def test_no_structure(run):
    """With nothing open the user is told to open a structure."""
    from chimerax.core.errors import UserError

    with pytest.raises(UserError, match="open one first"):
        run("dynaprot rmsf")


def test_no_protein(run, protease):
    """A structure without protein is refused by name."""
    from chimerax.core.errors import UserError

    run("delete protein")
    with pytest.raises(UserError, match=r"^1hpv\.pdb #1 has no protein residue with N, CA and C atoms\.$"):
        run("dynaprot rmsf #1")


def test_errors_of_the_core_reach_the_user(run, protease):
    """What the core refuses is shown in its own words, not as a traceback."""
    from chimerax.core.errors import UserError

    run("delete #1 & ~ #1/A:1-3")
    with pytest.raises(UserError, match=r"1hpv\.pdb #1: has 3 residues"):
        run("dynaprot rmsf #1")


def test_session_file(run, session, protease, tmp_path):
    """A saved session brings back the attributes and the colours, exactly."""
    run("dynaprot rmsf #1")
    residues = predicted(protease)
    saved = {name: attribute(residues, name) for name in NAMES}
    colours = residues.ribbon_colors
    run(f'save "{tmp_path}/protease.cxs"')
    session.reset()
    run(f'open "{tmp_path}/protease.cxs"')
    (restored,) = session.models.list(type=type(protease))
    assert restored is not protease
    for name, values in saved.items():
        np.testing.assert_array_equal(attribute(predicted(restored), name), values)
    np.testing.assert_array_equal(predicted(restored).ribbon_colors, colours)


def test_picture(run, protease, picture):
    """The coloured cartoon is really drawn, from blue to red, with a key."""
    run("hide atoms; show ligand; dynaprot rmsf #1; key pos 0.3,0.06 size 0.4,0.03 fontSize 14; view")
    pixels = picture("rmsf")
    assert (pixels.min(-1) < 250).mean() > 0.1
    red, _, blue = np.moveaxis(pixels, -1, 0)
    assert (red - blue > 80).mean() > 0.002
    assert (blue - red > 50).mean() > 0.01


@pytest.mark.parametrize(
    "name",
    [
        "1orc.pdb.gz",  # insertion codes
        "3oru.pdb.gz",  # selenomethionine, alternate conformers
        "6m6s.pdb.gz",  # nucleic acid
        "1SYX_r_u.pdb.gz",  # a residue without whole backbone
        "4cfq.pdb.gz",  # six chains
        "5TPM.cif.gz",  # mmCIF
        "6gof_final.cif.gz",  # mmCIF
    ],
)
def test_awkward_structures(run, name, tmp_path):
    """Host and core agree on what is protein in real files that are hard to read."""
    path = SHARED / name
    if not path.exists():
        pytest.skip(f"{path} is absent")
    file = tmp_path / name.removesuffix(".gz")
    file.write_bytes(gzip.decompress(path.read_bytes()))
    structure = run(f'open "{file}"')[0]
    (dynamics,) = run("dynaprot rmsf #1 model anm")
    expected = core_prediction(file, "anm")
    residues = predicted(structure)
    assert described(dynamics) == described(expected)
    assert labels(residues) == [label for *label, _, _ in described(expected)]
    # Of alternate conformers of equal occupancy, host and core may take different ones.
    np.testing.assert_allclose(attribute(residues, "dynaprot_rmsf"), expected.rmsf, rtol=0.02)
