"""The commit is read from git's own files, loose or packed, and is empty outside a checkout."""

from pathlib import Path

import pytest

from hfs.training.provenance import commit

HASH = "0123456789abcdef0123456789abcdef01234567"


@pytest.mark.parametrize(
    "files",
    [
        {"HEAD": HASH},
        {"HEAD": "ref: refs/heads/main\n", "refs/heads/main": f"{HASH}\n"},
        {"HEAD": "ref: refs/heads/main\n", "packed-refs": f"# pack\n{HASH} refs/heads/main\n"},
    ],
)
def test_the_commit_of_a_checkout_is_found(tmp_path, files):
    package = tmp_path / "src" / "hfs"
    package.mkdir(parents=True)
    for name, text in files.items():
        path = tmp_path / ".git" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    assert commit(package) == HASH


@pytest.mark.parametrize("head", ["ref: refs/heads/gone", "ref: ../../etc/passwd", "nonsense"])
def test_what_names_no_commit_is_none(tmp_path, head):
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "HEAD").write_text(head)
    assert commit(tmp_path / "src" / "hfs") == ""


def test_an_installed_package_is_not_taken_for_the_project_around_it(tmp_path):
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "HEAD").write_text(HASH)
    assert commit(tmp_path / ".venv" / "lib" / "hfs") == ""
    assert commit(Path("/nowhere/src/hfs")) == ""
