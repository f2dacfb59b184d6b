"""``hfs train``: options are checked before any work, and a run is printed before it begins."""

import json
from pathlib import Path

import pytest

from hfs import cli, recipes
from hfs.errors import MissingExtra, UsageError

TOY = str(Path(__file__).with_name("toy_recipe.py"))


def run(capfd, *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as end:
        cli.main(["train", *arguments])
    out, err = capfd.readouterr()
    return int(end.value.code or 0), out, err


def test_a_recipe_file_runs_and_its_models_are_named(capfd, tmp_path):
    code, out, err = run(capfd, TOY, "steps=4", "--out", str(tmp_path), "micro=2")
    assert (code, out) == (0, f"{tmp_path / 'models'}\n")
    assert "warm-up: 2 steps of 4 examples from 'train', learning second at 0.01" in err
    assert "4 steps of sums" in err
    assert len((tmp_path / "metrics.jsonl").read_text().splitlines()) == 4
    state = next((tmp_path / "checkpoints").glob("00000004/state.json"))
    assert json.loads(state.read_text())["record"] == {
        "recipe": "toy_recipe(steps=4)",
        "seed": 0,
        "step": 4,
    }


def test_a_dry_run_prints_the_plan_and_writes_nothing(capfd, tmp_path):
    code, out, _ = run(capfd, TOY, "--dry-run", "--out", str(tmp_path / "new"), "precision=bf16")
    assert code == 0
    assert out.startswith("toy_recipe(precision='bf16')\n  warm-up: 3 steps")
    assert "seed 0, bf16, 8 examples at once" in out
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nothing"], "or the path of a .py file that defines one, got 'nothing'"),
        (
            [TOY, "stepz=3"],
            "got 'stepz': its own are steps, batch, dropout, bad, slow, rate; every",
        ),
        ([TOY, "steps=many"], "expected steps to be int, got 'many'"),
        ([TOY, "steps"], "expected an option name=value, got 'steps'"),
        ([TOY, "precision=fp8"], "expected a precision of no or bf16, got 'fp8'"),
        ([TOY, "micro=0"], "expected micro of at least 1, got 0"),
        ([TOY], "expected a folder for the run, got none: give --out DIR"),
    ],
)
def test_a_wrong_call_is_one_line_and_code_2(capfd, arguments, said):
    code, out, err = run(capfd, *arguments)
    assert (code, out) == (2, "")
    assert said in err
    assert err.count("\n") == 1


def test_a_file_without_a_recipe_is_refused(tmp_path):
    (tmp_path / "empty.py").write_text("x = 1\n")
    with pytest.raises(UsageError, match=r"expected a function recipe\(...\) in .*empty.py"):
        recipes.load(str(tmp_path / "empty.py"))


def test_what_an_option_must_be_given_is_named(tmp_path):
    text = "def recipe(data: str, videos: str, k: int = 3):\n    return data\n"
    (tmp_path / "needy.py").write_text(text)
    with pytest.raises(UsageError, match=r"needs the options videos=\.\.\."):
        recipes.load(str(tmp_path / "needy.py"), ["data=2024"])


@pytest.mark.parametrize(
    ("given", "value"),
    [("rate=1", 1.0), ("rate=1e-3", 1e-3), ("bad=3", 3), ("bad=None", None), ("steps=8", 8)],
)
def test_options_are_literals_of_the_parameters_type(given, value):
    made = recipes.load(TOY, [given])
    assert made.spec == f"toy_recipe({given.partition('=')[0]}={value!r})"


def test_a_folder_called_like_a_number_stays_a_text(tmp_path):
    text = "import toy_recipe\n\ndef recipe(data: str):\n    assert data == '2024'\n"
    (tmp_path / "dated.py").write_text(text + "    return toy_recipe.recipe()\n")
    assert recipes.load(str(tmp_path / "dated.py"), ["data=2024"]).spec == "dated(data='2024')"


@pytest.mark.parametrize("name", recipes.names())
def test_every_recipe_says_how_it_is_run(name):
    module = recipes._module(name)
    assert f"hfs train {name}" in (module.__doc__ or "")


def test_a_run_is_resumed_with_other_settings_of_the_machine_but_no_other_option(capfd, tmp_path):
    assert run(capfd, TOY, "steps=2", "--out", str(tmp_path))[0] == 0
    assert run(capfd, TOY, "steps=2", "micro=1", "--out", str(tmp_path), "--resume")[0] == 0
    code, _, err = run(capfd, TOY, "steps=2", "seed=1", "--out", str(tmp_path), "--resume")
    assert code == 2
    assert "expected to resume 'toy_recipe(steps=2)'" in err


@pytest.mark.parametrize(("missing", "error"), [("peft", MissingExtra), ("own", ImportError)])
def test_a_package_that_training_needs_is_named_with_its_extra(monkeypatch, missing, error):
    def absent(name: str) -> None:
        raise ModuleNotFoundError(name=missing)

    monkeypatch.setattr("importlib.import_module", absent)
    with pytest.raises(error) as caught:
        recipes.load("tiny")
    assert missing == "own" or "pip install 'hfs-video[train]'" in str(caught.value)
