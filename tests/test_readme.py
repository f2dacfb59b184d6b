"""What the README shows is what happens."""

import re
from pathlib import Path

from hfs.cli import COMMANDS, app
from hfs.sample import render_sample

README = Path(__file__).parents[1] / "README.md"


def test_the_python_example_runs(tmp_path, monkeypatch, capsys):
    [example] = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    render_sample(tmp_path / "talk.mp4", fps=2)
    monkeypatch.chdir(tmp_path)
    names: dict = {}
    exec(example, names)
    assert len(capsys.readouterr().out.splitlines()) == 8
    assert names["again"] == names["selection"]
    assert names["pictures"].shape == (8, 3, 360, 640)


def test_every_command_line_names_a_command():
    text = README.read_text(encoding="utf-8")
    shown = set(re.findall(r"^hfs (\w+)", text, re.MULTILINE))
    known = {command.__name__.rstrip("_") for command in COMMANDS}
    groups = {group.typer_instance.info.name for group in app.registered_groups}
    assert shown <= known | groups
    assert len(shown) >= 5


def test_every_link_leads_somewhere():
    links = re.findall(r"\]\(([^)#:]+)\)", README.read_text(encoding="utf-8"))
    missing = [link for link in links if not (README.parent / link).exists()]
    assert missing == []
