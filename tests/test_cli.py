"""Every command says what it found on stdout, and every failure in one line on stderr."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from render import render

from hfs.cli import main


@pytest.fixture(scope="module")
def video(tmp_path_factory):
    path = tmp_path_factory.mktemp("video") / "v.mp4"
    render(path, [5 * i for i in range(60)])
    return str(path)


@pytest.fixture
def hfs(capsys):
    """Runs a command line: (exit code, stdout, stderr)."""

    def run(*line):
        with pytest.raises(SystemExit) as stopped:
            main([str(word) for word in line])
        out, err = capsys.readouterr()
        return stopped.value.code, out, err

    return run


QUICK = ("--pipeline", "offline(readers=[subtitles])", "--cache", "none")


def test_select_prints_the_document_and_nothing_else_on_stdout(hfs, video):
    code, out, _ = hfs("select", video, "what?", "-k", 3, "--json", "-", *QUICK)
    document = json.loads(out)
    assert code == 0
    assert document["schema"] == "hfs.selection/1"
    assert len(document["frames"]) == 3


def test_select_prints_a_line_for_each_frame_and_its_notes_to_stderr(hfs, video):
    code, out, err = hfs("select", video, "what?", "-k", 3, *QUICK)
    assert code == 0
    assert out.count("0:") == 3
    assert "coverage alone" in err
    assert hfs("select", video, "what?", "-k", 3, "--quiet", *QUICK)[2] == ""


def test_select_replaces_single_stages(hfs, video):
    _, out, _ = hfs("select", video, "q", "--selector", "uniform", "--json", "-", *QUICK)
    assert "selector=uniform" in json.loads(out)["pipeline"]


def test_probe_prints_the_facts(hfs, video):
    code, out, err = hfs("probe", video, "--json", "-")
    facts = json.loads(out)
    assert (code, err) == (0, "")
    assert facts["average_rate"] == "5/1"
    assert (facts["frames"], facts["duration"]) == (60, 12.0)
    assert "variable rate" in hfs("probe", video)[1]


def test_list_doctor_and_cache_answer(hfs, tmp_path):
    assert "top_k" in hfs("list", "selectors")[1]
    assert "torch" in hfs("doctor")[1]
    assert "folder" in hfs("cache", "--cache", tmp_path)[1]
    assert "cleared" in hfs("cache", "--cache", tmp_path, "--clear")[1]


def test_select_writes_a_folder_whole_or_not_at_all(hfs, video, tmp_path):
    out = tmp_path / "result"
    assert hfs("select", video, "q", "-k", 2, "--out", out, *QUICK)[0] == 0
    names = sorted(p.name for p in out.iterdir())
    assert names[-2:] == ["report.html", "selection.json"]
    assert len(names) == 4
    assert hfs("select", video, "q", "-k", 1, "--out", out, *QUICK)[0] == 0
    assert len(list(out.iterdir())) == 3  # an earlier result is replaced as a whole


@pytest.mark.parametrize(
    ("line", "code", "said"),
    [
        (["select", "nowhere.mp4", "q"], 2, "nowhere.mp4"),
        (["select", "FOLDER", "q"], 2, "folder"),
        (["select", "TEXT", "q"], 1, "text.mp4"),
        (["select", "EMPTY", "q"], 1, "empty"),
        (["select", "CUT", "q"], 1, "cut.mp4"),
        (["select", "VIDEO", "   "], 2, "question"),
        (["select", "VIDEO", "q", "-k", "0"], 2, "at least 1"),
        (["select", "VIDEO", "q", "-k", "many"], 2, "valid integer"),
        (["select", "VIDEO", "q", "--from", "99"], 2, "lasts 12"),
        (["select", "VIDEO", "q", "--from", "5", "--to", "3"], 2, "end after the start"),
        (["select", "VIDEO", "q", "--from", "soon"], 2, "1:15.5"),
        (["select", "VIDEO", "q", "--preset", "best"], 2, "offline"),
        (["select", "VIDEO", "q", "--selector", "hfs(colour=1)"], 2, "coverage"),
        (["select", "VIDEO", "q", "--selector", "hsf"], 2, "hfs"),
        (["select", "VIDEO", "q", "--subtitles", "TEXT"], 1, "subtitle"),
        (["select", "VIDEO", "q", "--subtitles", "none.srt"], 2, "none.srt"),
        (["select", "VIDEO", "q", "--out", "TEXT"], 1, "folder"),
        (["select", "VIDEO", "q", "--out", "FULL"], 1, "another folder"),
        (["select", "VIDEO", "q", "--json", "FOLDER"], 1, "write"),
        (["select", "VIDEO", "q", "--stream", "7"], 2, "stream"),
        (["select", "VIDEO", "q", "--max-candidates", "3"], 2, "at most 3"),
        (["select", "VIDEO", "q", "--max-duration", "3"], 1, "3"),
        (["select", "VIDEO", "q", "--max-pixels", "100"], 1, "pixels"),
        (["select", "https://example.org/v.mp4", "q"], 2, "example.org"),
        (["select", "VIDEO", "q", "--backbone", "siglip(model='no/such')"], 1, "no/such"),
        (["select", "VIDEO", "q", "--encoder", "text"], 2, "text tower"),
        (["select", "VIDEO"], 2, "question"),
        (["probe", "TEXT"], 1, "text.mp4"),
        (["list", "colours"], 2, "selectors"),
        (["frobnicate"], 2, "frobnicate"),
        (["score", "TEXT", "--truth", "TEXT"], 2, ""),
        (["compare", "TEXT", "--truth", "TEXT", "-k", "4,x"], 2, "4,x"),
    ],
)
def test_bad_input_is_one_line_with_the_remedy_and_leaves_nothing(
    hfs, video, tmp_path, line, code, said
):
    (tmp_path / "folder").mkdir()
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.txt").write_text("years of work", encoding="utf-8")
    (tmp_path / "text.mp4").write_text("this is no video\n", encoding="utf-8")
    (tmp_path / "empty.mp4").touch()
    (tmp_path / "cut.mp4").write_bytes(Path(video).read_bytes()[:1000])
    before = sorted(p.name for p in tmp_path.rglob("*"))
    paths = {
        "VIDEO": video,
        "FOLDER": tmp_path / "folder",
        "FULL": tmp_path / "full",
        "TEXT": tmp_path / "text.mp4",
        "EMPTY": tmp_path / "empty.mp4",
        "CUT": tmp_path / "cut.mp4",
    }
    quick = () if "--preset" in line or line[0] != "select" else QUICK
    got, out, err = hfs(*(paths.get(word, word) for word in line), *quick)
    errors = [text for text in err.splitlines() if text.startswith("hfs: error: ")]
    assert got == code, err
    assert len(errors) == 1
    assert said.lower() in errors[0].lower()
    assert "Traceback" not in err + out
    assert sorted(p.name for p in tmp_path.rglob("*")) == before


def test_debug_shows_where_an_error_came_from(video):
    line = [sys.executable, "-m", "hfs", "probe", "nowhere.mp4", "--debug"]
    done = subprocess.run(line, capture_output=True, text=True, check=False)
    assert "Traceback" in done.stderr
    assert "UsageError" in done.stderr


@pytest.mark.parametrize(("arguments", "code"), [(["--version"], 0), (["no-such-command"], 2)])
def test_one_of_a_launchers_processes_exits_before_the_interpreter_shuts_down(arguments, code):
    script = (
        "import atexit, sys; atexit.register(print, 'shut down'); "
        "from hfs.cli import main; main(sys.argv[1:])"
    )
    said = {}
    for world_size in ("1", "2"):
        done = subprocess.run(
            [sys.executable, "-c", script, *arguments],
            env={**os.environ, "WORLD_SIZE": world_size},
            capture_output=True,
            text=True,
        )
        assert done.returncode == code, done.stderr
        said[world_size] = done.stdout + done.stderr
    assert "shut down" in said["1"]
    assert "shut down" not in said["2"]
    assert len(said["2"].splitlines()) == 1


def test_help_and_plain_errors_do_not_wait_for_torch():
    code = (
        "import sys; from hfs.cli import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: sys.exit('torch' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
