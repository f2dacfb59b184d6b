"""From a video and a question to an answer in one command, with what it cost and what it saw."""

import base64
import io
import json

import pytest
from chat_server import completion, failure, pictures, serving
from PIL import Image
from render import read, render

import hfs as library
from hfs.cli import main
from hfs.errors import UsageError
from hfs.message import said
from hfs.plugins import Spec
from hfs.types import Selection

pytest.importorskip("transformers")
QUICK = ("--pipeline", "offline(readers=[subtitles])", "--cache", "none", "--selector", "uniform")
CHOICES = ("--option", "a boat", "--option", "a cat")
SRT = "".join(
    f"{i + 1}\n00:00:{i:02},000 --> 00:00:{i + 1:02},000\nline {i} of what is said here\n\n"
    for i in range(10)
)


@pytest.fixture(scope="module")
def video(tmp_path_factory):
    """Twelve seconds, irregular in time, each frame showing its number."""
    folder = tmp_path_factory.mktemp("video")
    ticks = [5 * i + (i * i) % 4 for i in range(60)]
    (folder / "v.srt").write_text(SRT, encoding="utf-8")
    return render(folder / "v.mp4", ticks, size=(192, 96))


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A tiny Qwen3-VL that sees a picture as 1 to 16 tokens."""
    import checkpoints_answerers

    return checkpoints_answerers.qwen3_vl(tmp_path_factory.mktemp("qwen"))


@pytest.fixture
def hfs(capsys, monkeypatch):
    """Runs a command line: (exit code, stdout, stderr)."""
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)

    def run(*line):
        with pytest.raises(SystemExit) as stopped:
            main([str(word) for word in line])
        out, err = capsys.readouterr()
        return stopped.value.code, out, err

    return run


def local(model, **options) -> str:
    quick = {"model": str(model), "device": "cpu", "dtype": "float32", "new_tokens": 4}
    return str(Spec("local", quick | options))


def api(url: str, **options) -> str:
    return str(Spec("api", {"model": "m", "base_url": url, "retries": 0} | options))


def test_answers_over_the_chosen_frames_at_their_true_times(hfs, video):
    with serving(lambda request, before: completion("B. a cat")) as server:
        line = ("answer", video, "what?", "-k", 3, *CHOICES, *QUICK, "--json", "-")
        code, out, _ = hfs(*line, "--answerer", api(server.url))
    document = json.loads(out)
    assert code == 0
    assert document["schema"] == "hfs.answer/1"
    assert document["answer"]["letter"] == "B"
    assert (document["answer"]["tokens_in"], document["answer"]["error"]) == (321, None)
    frames = document["selection"]["frames"]
    content = server.requests[0]["messages"][0]["content"]
    told = [p["text"].strip() for p in content if "text" in p]
    assert told == [
        *(f"<{frame['time']:.1f} seconds>" for frame in frames),
        "what?\nA. a boat\nB. a cat\n"
        "Answer with the option's letter from the given choices directly.",
    ]
    import numpy
    import torch

    shown = [torch.tensor(numpy.array(p)).permute(2, 0, 1) for p in pictures(server.requests[0])]
    assert [read(pixels) for pixels in shown] == [frame["index"] for frame in frames]


def test_prints_the_answer_the_frames_and_the_tokens(hfs, video):
    with serving(lambda request, before: completion("The answer is (A).")) as server:
        line = ("answer", video, "what?", "-k", 3, *CHOICES, *QUICK)
        code, out, err = hfs(*line, "--answerer", api(server.url))
    assert code == 0
    assert "The answer is (A)." in out
    assert "A: a boat" in out
    assert out.count("0:0") + out.count("0:1") == 3
    assert "3 frames of 192 x 96; 321 tokens in, 2 out" in out
    assert "error" not in err


def test_says_that_an_answer_names_no_option(hfs, video):
    with serving(lambda request, before: completion("A or B")) as server:
        line = ("answer", video, "what?", "-k", 1, *CHOICES, *QUICK)
        assert "none of the options" in hfs(*line, "--answerer", api(server.url))[1]


def test_what_is_said_at_the_frames_is_handed_over_on_request(hfs, video):
    with serving(lambda request, before: completion("A")) as server:
        line = ("answer", video, "what?", "-k", 2, *QUICK, "--answerer", api(server.url))
        assert hfs(*line)[0] == hfs(*line, "--with-subtitles")[0] == 0
    plain, spoken = (json.dumps(request) for request in server.requests)
    assert "of what is said" not in plain
    assert spoken.count("of what is said") >= 2


def test_a_local_model_answers_and_its_tokens_are_counted(hfs, video, model):
    line = ("answer", video, "what?", "-k", 2, *CHOICES, *QUICK, "--json", "-")
    code, out, _ = hfs(*line, "--answerer", local(model, choice="likelihood"))
    answer = json.loads(out)["answer"]
    assert code == 0
    assert answer["letter"] in "AB"
    assert sum(answer["likelihoods"]) == pytest.approx(1)
    assert answer["tokens_in"] > 2 * 16


@pytest.mark.parametrize("limit", [150, 260])
def test_a_budget_in_tokens_is_told_first_and_kept(hfs, video, model, limit):
    line = ("answer", video, "what?", "--tokens", limit, *CHOICES, *QUICK, "--json", "-")
    code, out, err = hfs(*line, "--answerer", local(model), "--with-subtitles")
    document = json.loads(out)
    assert code == 0
    told = err.splitlines()
    assert told[0].startswith("budget: ")
    assert f"fit {limit} tokens" in told[0]
    assert "1 frame " in told[2]
    chosen = document["plan"]["chosen"]
    assert chosen["frames"] == len(document["selection"]["frames"])
    assert document["size"] == chosen["size"]
    assert document["answer"]["tokens_in"] <= limit
    assert document["subtitles"] < 10, "only what fits is said"


def test_a_budget_in_tokens_with_a_number_of_frames_gives_their_size(hfs, video, model):
    line = ("answer", video, "what?", "--tokens", 150, "-k", 2, *QUICK, "--json", "-")
    few = json.loads(hfs(*line, "--answerer", local(model))[1])
    assert len(few["selection"]["frames"]) == 2
    assert few["answer"]["tokens_in"] <= 150


def test_a_failure_is_told_and_the_frames_are_not_lost(hfs, video):
    with serving(lambda request, before: failure(500, "it broke")) as server:
        line = ("answer", video, "what?", "-k", 3, *QUICK, "--json", "-")
        code, out, err = hfs(*line, "--answerer", api(server.url))
    document = json.loads(out)
    assert code == 1
    assert "(500)" in document["answer"]["error"]
    assert len(document["selection"]["frames"]) == 3
    assert "it broke" in err.splitlines()[-1]


@pytest.mark.parametrize(
    ("line", "code", "said"),
    [
        (("--answerer", "orcle"), 2, "local, oracle"),
        (("--answerer", "local"), 2, "needs the option model"),
        (("--answerer", "local(model='/no/where')"), 1, "no such folder"),
        (("--answerer", "oracle", "--tokens", "100"), 2, "--for MODEL"),
        (("--answerer", "oracle", "--for", "m"), 2, "--tokens"),
        (("--answerer", "oracle"), 1, "right answer"),
        (("--answerer", "oracle", "-k", "0"), 2, "at least 1 frame"),
        (("--answerer", "oracle", "--tokens", "5", "--for", "MODEL"), 2, "at the least"),
        ((), 2, "--answerer"),
    ],
)
def test_bad_input_is_one_line_with_the_remedy(hfs, video, model, line, code, said):
    words = [str(model) if word == "MODEL" else word for word in line]
    got, _, err = hfs("answer", video, "what?", *QUICK, *words)
    errors = [text for text in err.splitlines() if text.startswith("hfs: error: ")]
    assert got == code, err
    assert len(errors) == 1
    assert said in errors[0]


def test_select_writes_requests_beside_the_selection_in_the_planned_size(
    hfs, video, model, tmp_path
):
    out = tmp_path / "result"
    line = ("select", video, "what?", *CHOICES, *QUICK, "--out", out, "--with-subtitles")
    exports = ("--export", "openai(quality=80)", "--export", "transformers", "--export", "vllm")
    code, _, err = hfs(*line, *exports, "--tokens", 150, "--for", model)
    assert code == 0, err
    assert err.startswith("budget: ")
    selection = Selection.from_json(out)
    requests = {name: json.loads((out / f"{name}.json").read_text()) for name in
                ("openai", "transformers", "vllm")}  # fmt: skip
    blocks = requests["openai"]["messages"][0]["content"]
    urls = [block["image_url"]["url"] for block in blocks if "image_url" in block]
    sent = [Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2]))) for url in urls]
    files = [b["path"] for b in requests["transformers"]["messages"][0]["content"] if "path" in b]
    assert files == [frame.file for frame in selection.frames]
    kept = [Image.open(io.BytesIO((out / name).read_bytes())) for name in files]
    assert len({picture.size for picture in (*sent, *kept)}) == 1
    assert kept[0].size[0] < 192
    assert len(sent) == len(selection.frames)
    facts = requests["vllm"]["media_io_kwargs"]["video"]
    assert facts["frames_indices"][::2] == [round(1000 * t) for t in selection.times]
    assert "of what is said" in json.dumps(requests["openai"])
    assert said(selection)
    assert hfs(*line, "-k", 2)[0] == 0  # a result with exports is replaced as a whole
    assert not list(out.glob("openai.json"))


def test_select_refuses_an_export_without_a_folder_or_twice(hfs, video, tmp_path):
    code, _, err = hfs("select", video, "what?", *QUICK, "--export", "openai")
    assert (code, "name it with out" in err) == (2, True)
    twice = ("--export", "openai", "--export", "openai(quality=5)", "--out", tmp_path / "o")
    code, _, err = hfs("select", video, "what?", *QUICK, *twice)
    assert (code, "each exporter once" in err) == (2, True)
    assert not (tmp_path / "o").exists()


def test_the_library_answers_as_the_command_does(video, model):
    found = library.answer(
        str(video), "what?", answerer=local(model), budget=2, pipeline=QUICK[1], cache=None
    )
    assert found.answer.error is None
    assert found.size == (96, 192)
    assert found.to_json()["selection"]["schema"] == "hfs.selection/1"
    with pytest.raises(UsageError, match="at least 1 frame"):
        library.answer(str(video), "what?", answerer=local(model), budget=0, cache=None)
