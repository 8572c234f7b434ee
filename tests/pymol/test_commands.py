"""The commands as a user meets them: help, completion, settings, info, and one version everywhere."""

from __future__ import annotations

import ast
import inspect
import re

import pytest

COMMANDS = [
    "dynaprot_predict", "dynaprot_ellipsoids", "dynaprot_rmsf", "dynaprot_restore", "dynaprot_coupling",
    "dynaprot_ensemble", "dynaprot_modes", "dynaprot_movie", "dynaprot_save", "dynaprot_follow", "dynaprot_info",
    "dynaprot_settings",
]  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS)
def test_help_has_the_sections_of_pymols_own(cmd, plugin, command, capfd):
    """`help dynaprot_ellipsoids` answers in the form of PyMOL's own commands, and names every argument."""
    cmd.do(f"help {command}")
    output = capfd.readouterr().out
    for section in ("DESCRIPTION", "USAGE", "EXAMPLE", "SEE ALSO"):
        assert f"\n{section}\n" in output
    (function,) = [each for each in plugin.commands.COMMANDS if each.__name__ == command]
    code = function.__code__
    for argument in code.co_varnames[: code.co_argcount]:
        assert re.search(rf"\b{argument}\b", output.split("\nUSAGE\n")[1])


@pytest.mark.parametrize("command", COMMANDS)
def test_an_argument_too_many_is_refused(cmd, plugin, command, capfd):
    """None is taken for the PyMOL that a command works in."""
    (function,) = [each for each in plugin.commands.COMMANDS if each.__name__ == command]
    named = len(inspect.signature(function).parameters)  # one of them that PyMOL
    cmd.do(f"{command} {', '.join('x' * named)}")
    output = capfd.readouterr().out
    assert f"too many positional arguments for {command}" in output
    assert "Traceback" not in output


@pytest.mark.parametrize(
    ("typed", "completed"),
    [
        ("dynaprot_el", "dynaprot_ellipsoids "),
        ("dynaprot_predict 1abc, def", "dynaprot_predict 1abc, default"),
        ("dynaprot_ellipsoids 1abc, 0.5, anis", "dynaprot_ellipsoids 1abc, 0.5, anisotropy"),
        ("dynaprot_ellipsoids 1abc, 0.5, rmsf, vir", "dynaprot_ellipsoids 1abc, 0.5, rmsf, viridis"),
        ("dynaprot_save map.png, 1abc, coup", "dynaprot_save map.png, 1abc, coupling"),
        ("dynaprot_settings thr", "dynaprot_settings threshold"),
    ],
)
def test_arguments_are_completed(cmd, typed, completed):
    """Tab completes commands, models, colourings, palettes; names of objects in the window's PyMOL only, see there."""
    assert cmd._parser.complete(typed).rstrip(", ") == completed.rstrip()


def test_help_tells_the_defaults(cmd, plugin, capfd):
    """The numbers in the help texts are those of the settings and of the core."""
    core = plugin.core.load_core(".defaults")
    settings = plugin.settings.defaults()
    texts = {}
    for command in COMMANDS:
        cmd.do(f"help {command}")
        texts[command] = " ".join(capfd.readouterr().out.split())
        for name, value in re.findall(r'settings? "(\w+)", ([\w.]+)', texts[command]):
            assert str(settings[name]).removesuffix(".0") == value, f"{command}: {name}"
    assert "50" in re.findall(r'"count", (\d+)', texts["dynaprot_ensemble"])
    assert f"couplings, {core.COUPLINGS} at most" in texts["dynaprot_coupling"]
    assert f"the {core.FRAMES} states" in texts["dynaprot_modes"]
    assert f"the longest is {core.ARROW_LENGTH:g} A" in texts["dynaprot_modes"]
    assert f"less than {core.SHORTEST_ARROW:.0%}".replace("%", " %") in texts["dynaprot_modes"]
    for suffix in {*core.RESULT_SUFFIXES, *core.ENSEMBLE_SUFFIXES, *core.FIGURE_SUFFIXES}:
        assert suffix in texts["dynaprot_save"]


def test_help_says_what_the_default_model_is(cmd, capfd):
    """Where the model is chosen, one sentence says what the default is made of."""
    cmd.do("help dynaprot_predict")
    text = " ".join(capfd.readouterr().out.split())
    assert "corrects the force constants of an elastic network (it has no attention layer)" in text


def test_info_tells_what_is_running(cmd, core, pymol_data, capfd):
    """`dynaprot_info` prints the version, where it was found, the packages it stands on, and what it has drawn."""
    cmd.load(pymol_data / "data/demo/pept.pdb", "molecule")
    cmd.do("dynaprot_ellipsoids molecule, model=anm")
    cmd.do("dynaprot_info")
    output = capfd.readouterr().out
    assert f" DynaProt {core.__version__} in " in output
    for name in ("models: default", "weights: ", "numpy ", "gemmi ", "safetensors ", "molecule_ellipsoids: "):
        assert f" {name}" in output


def test_the_plugin_has_the_cores_version(core, startup_folder):
    """What PyMOL's plugin manager shows, from the comments in the first lines, is the core's version."""
    first_lines = (startup_folder / "dynaprot" / "__init__.py").read_text(encoding="utf-8").split('"""')[0]
    assert re.search(r"^# Version: (.*)$", first_lines, re.MULTILINE).group(1) == core.__version__


def test_every_module_of_the_plugin_can_be_read_by_pymol_2_5(startup_folder):
    """The oldest incentive PyMOL in use runs Python 3.8: its grammar is enough to load the plugin and be refused."""
    modules = [path for path in (startup_folder / "dynaprot").rglob("*.py") if "dynaprot/dynaprot" not in str(path)]
    assert len(modules) > 20
    for path in modules:
        tree = ast.parse(path.read_text(encoding="utf-8"), feature_version=(3, 8))
        # What an annotation says, as `list[str]`, that Python could not work out.
        nodes = list(ast.walk(tree))
        if any(isinstance(node, ast.AnnAssign) or getattr(node, "returns", None) for node in nodes):
            assert any(isinstance(node, ast.ImportFrom) and node.module == "__future__" for node in nodes), path


def test_an_old_python_is_refused_in_one_sentence(cmd, plugin, monkeypatch, capfd):
    """A PyMOL whose Python is too old for the core says so."""
    monkeypatch.setattr(plugin.core, "OLDEST_PYTHON", (4, 0))
    cmd.fab("ACDEFGHIK", "peptide")
    cmd.do("dynaprot_rmsf peptide")
    output = capfd.readouterr().out
    assert "DynaProt needs Python 4.0 or later" in output
    assert "Traceback" not in output


@pytest.fixture
def fresh_settings(plugin, pymol_data):
    """Settings as they come, before and after."""
    for name in plugin.settings.defaults():
        plugin.settings.change(name, "")
    yield
    for name in plugin.settings.defaults():
        plugin.settings.change(name, "")


def test_settings_are_what_commands_take(cmd, plugin, fresh_settings, pymol_data):
    """A changed setting is the default of the next command, and an argument overrides it."""
    cmd.load(pymol_data / "data/demo/pept.pdb", "molecule")
    cmd.do("dynaprot_settings model, anm")
    cmd.do("dynaprot_settings count, 3")
    cmd.do("dynaprot_ensemble molecule")
    assert cmd.count_states("molecule_ensemble") == 3
    assert "elastic network" in cmd.get_title("molecule_ensemble", 1)
    cmd.do("dynaprot_ensemble molecule, 5")
    assert cmd.count_states("molecule_ensemble") == 5


def test_settings_are_kept_with_pymols_own(cmd, plugin, fresh_settings, capfd):
    """They are written where PyMOL keeps its preferences, beside those of other plugins, and read back from there."""
    from pymol import parsing, plugins

    plugins.pref_set("another plugin", {"colour": "red"})
    cmd.do("dynaprot_settings threshold, 0.75")
    plugins.preferences.clear()
    parsing.run_file(plugins.PYMOLPLUGINSRC, {"__script__": plugins.PYMOLPLUGINSRC}, {})
    assert plugins.preferences["another plugin"] == {"colour": "red"}
    assert plugin.settings.settings()["threshold"] == 0.75
    cmd.do("dynaprot_settings threshold")
    assert " threshold = 0.75" in capfd.readouterr().out
    cmd.do("dynaprot_settings threshold,")
    assert plugin.settings.settings()["threshold"] == plugin.settings.defaults()["threshold"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("size, 3", "There is no setting 'size'"),
        ("threshold, high", "The threshold must be a number such as 0.6, not 'high'."),
        ("count, 2.5", "The count must be a whole number such as 50, not '2.5'."),
        ("count, 0", "The count must be from 1 to 10000, not 0."),
        ("probability, 7", "The probability must be between 0 and 1, not 7.0."),
        ("color_by, mood", "The color_by must be one of rmsf, anisotropy, chain, parent, not 'mood'."),
    ],
)
def test_wrong_settings_are_refused(cmd, plugin, fresh_settings, arguments, message, capfd):
    """A setting that is not there, or a value of another kind, changes nothing."""
    cmd.do(f"dynaprot_settings {arguments}")
    assert message in capfd.readouterr().out
    assert plugin.settings.settings() == plugin.settings.defaults()
