"""Over a real socket: images are sent, and whatever the server does, no answer is lost."""

import importlib.util
import logging
import os
import socket
import subprocess
import sys
import time
from dataclasses import replace

import pytest
import torch
from chat_server import completion, failure, pictures, question, serving

from hfs import plugins
from hfs.answerers import Answer, Answerer, Asked
from hfs.errors import FailureError, SpecError
from hfs.types import Frames

pytest.importorskip("openai")
SECRET = "sk-very-secret-0123456789"
OPTIONS = ("a boat", "a cat", "a dog", "a hat")


def asked(prompt: str = "Which?", greys=(40, 200), times=(0.5, 12.3), **other) -> Asked:
    pixels = torch.tensor(greys, dtype=torch.uint8).view(-1, 1, 1, 1).expand(-1, 3, 24, 32)
    frames = Frames(pixels, torch.tensor(times).double(), torch.arange(len(times)))
    return replace(Asked(prompt, OPTIONS, frames, 90.0, prompt), **other)


@pytest.fixture(autouse=True)
def key(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)


def api(url: str, **options) -> Answerer:
    return plugins.build(
        "answerers", plugins.Spec("api", {"model": "m", "base_url": url, "timeout": 5.0} | options)
    )


def test_frames_and_their_times_arrive_and_the_answer_and_its_cost_come_back():
    with serving(lambda request, before: completion("The answer is (B).")) as server:
        answer = api(server.url, new_tokens=7)([asked()])[0]
    request = server.requests[0]
    assert request["path"] == "/v1/chat/completions"
    assert (request["model"], request["max_tokens"], request["temperature"]) == ("m", 7, 0.0)
    assert server.keys == [f"Bearer {SECRET}"]
    content = request["messages"][0]["content"]
    assert [p["text"] for p in content if "text" in p] == [
        "<0.5 seconds>",
        "<12.3 seconds>",
        "\nWhich?",
    ]
    shown = pictures(request)
    assert [p.size for p in shown] == [(32, 24)] * 2
    assert [abs(p.getpixel((3, 3))[0] - g) < 3 for p, g in zip(shown, (40, 200), strict=True)]
    assert (answer.text, answer.letter, answer.error) == ("The answer is (B).", "B", None)
    assert (answer.tokens_in, answer.tokens_out) == (321, 2)
    assert answer.seconds > 0


def test_a_video_for_vllm_travels_with_its_metadata():
    with serving(lambda request, before: completion("A")) as server:
        assert api(server.url, exporter="vllm")([asked()])[0].letter == "A"
    request = server.requests[0]
    assert request["media_io_kwargs"]["video"]["frames_indices"] == [500, 500, 12300, 12300]
    assert request["mm_processor_kwargs"] == {"do_sample_frames": False}


def test_answers_keep_their_order_and_no_more_are_asked_at_once_than_allowed():
    def reply(request, before):
        time.sleep(0.02 + 0.03 * (question(request) in ("q0", "q3")))
        return completion("ABCD"[int(question(request)[1:]) % 4])

    items = [asked(f"q{i}") for i in range(12)]
    with serving(reply) as server:
        answers = api(server.url, concurrency=3)(items)
    assert [a.letter for a in answers] == list("ABCD" * 3)
    assert 2 <= server.most <= 3


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_busy_or_broken_server_is_asked_again(status):
    with serving(lambda r, before: completion("C") if before else failure(status)) as server:
        answer = api(server.url)([asked()])[0]
    assert (answer.letter, answer.error) == ("C", None)
    assert len(server.requests) == 2
    assert server.at[1] - server.at[0] > 0.3


def test_the_pause_that_a_server_asks_for_is_kept():
    reply = failure(429, "slow down", Retry_After="1.2")
    with serving(lambda r, before: completion("C") if before else reply) as server:
        assert api(server.url)([asked()])[0].letter == "C"
    assert server.at[1] - server.at[0] >= 1.15


BAD = {
    "429": (failure(429, "slow down"), "takes no more requests now (429), after 2 tries"),
    "500": (failure(500), "the server failed (500), after 2 tries"),
    "400": (failure(400, "too long"), "refused the request (400): Error code: 400"),
    "no JSON": ((200, {}, b"{oh"), "cannot be read"),
    "no completion": ((200, {}, b'{"choices": []}'), "cannot be read: expected a chat completion"),
    "odd": ((200, {}, b'{"choices": [{"message": {}}]}'), "the answer is empty"),
    "a page": ((200, {"Content-Type": "text/html"}, b"<html>"), "cannot be read"),
    "a list": ((200, {}, b"[1, 2]"), "cannot be read"),
    "a filter": (completion("The", finish_reason="content_filter"), "content filter stopped"),
    "a refusal": (completion(None, message={"refusal": "I cannot"}), "the model refused: I cannot"),
    "silence": (completion("", finish_reason="length"), "is empty (it ended by 'length')"),
}


@pytest.mark.parametrize("kind", BAD)
def test_a_failure_is_the_error_of_its_own_answer_and_the_others_go_on(kind):
    reply, said = BAD[kind]
    good = completion("D")
    with serving(lambda r, before: reply if question(r) == "bad" else good) as server:
        answers = api(server.url, retries=1)([asked("one"), asked("bad"), asked("two")])
    assert [a.letter for a in answers] == ["D", None, "D"]
    assert [a.error is None for a in answers] == [True, False, True]
    assert said in str(answers[1].error)


def test_a_slow_server_is_given_up_at_the_time_limit():
    def reply(request, before):
        time.sleep(1.0 if question(request) == "bad" else 0)
        return completion("D")

    with serving(reply) as server:
        answers = api(server.url, retries=1, timeout=0.3)([asked("bad"), asked("one")])
        assert "within 0.3 s, after 2 tries" in str(answers[0].error)
        assert answers[1].letter == "D"
        time.sleep(1.0)  # the server's own threads end


def test_a_server_that_is_down_is_named_and_not_asked_for_ever():
    with socket.socket() as held:  # a port that nobody listens on
        held.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{held.getsockname()[1]}/v1"
        answers = api(url, retries=0, concurrency=2)([asked(f"q{i}") for i in range(40)])
    assert len(answers) == 40
    assert all(a.error and a.letter is None for a in answers)
    assert "no connection to " + url in str(answers[0].error)
    assert "not asked: " in str(answers[-1].error)
    assert sum("not asked" not in str(a.error) for a in answers) <= 5


def test_a_key_is_never_repeated(caplog):
    caplog.set_level(logging.DEBUG)
    with serving(lambda r, before: failure(401, f"bad key {SECRET}")) as server:
        answerer = api(server.url)
        answers = answerer([asked()] * 2)
    assert all("(401)" in str(a.error) and "***" in str(a.error) for a in answers)
    seen = f"{answers} {answerer} {[r.getMessage() for r in caplog.records if 'hfs' in r.name]}"
    assert SECRET not in seen


def test_openai_itself_is_not_asked_without_a_key_and_other_servers_are(monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY")
    with pytest.raises(FailureError, match="OPENAI_API_KEY"):
        plugins.build("answerers", "api(model='gpt')")([asked()])
    with serving(lambda r, before: completion("A")) as server:
        assert api(server.url)([asked()])[0].letter == "A"


@pytest.mark.parametrize(
    "options",
    [
        {"base_url": "localhost:8000"},
        {"base_url": "http://me:word@host/v1"},
        {"base_url": "http://host/v1?key=1"},
        {"concurrency": 0},
        {"timeout": 0.0},
        {"retries": -1},
        {"exporter": "opnai"},
        {"limit": "words"},
    ],
)
def test_an_option_without_meaning_is_refused(options):
    with pytest.raises(SpecError, match="expect"):
        api("http://127.0.0.1/v1", **options)


def test_the_options_are_a_spec_and_the_key_is_none_of_them():
    spec = "api(model='m', base_url='http://h/v1', exporter=openai(quality=80, detail='low'))"
    answerer = plugins.build("answerers", spec)
    assert SECRET not in repr(answerer)
    assert "key" not in plugins.options(type(answerer))


@pytest.fixture(scope="module")
def transformers_server(tmp_path_factory):
    """``transformers serve`` over a tiny SmolVLM-class checkpoint: its address and the folder."""
    for package in ("transformers", "fastapi", "uvicorn"):
        if importlib.util.find_spec(package) is None:
            pytest.skip(f"transformers serve needs {package}")
    import checkpoints_answerers

    folder = checkpoints_answerers.idefics3(tmp_path_factory.mktemp("served"))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    line = [sys.executable, "-c", "from transformers.cli.transformers import main; main()"]
    line += ["serve", str(folder), "--host", "127.0.0.1", "--port", str(port), "--device", "cpu"]
    log = folder.with_suffix(".log")
    quiet = {**os.environ, "OMP_NUM_THREADS": "1", "TRANSFORMERS_VERBOSITY": "error"}
    with log.open("wb") as out, subprocess.Popen(line, stdout=out, stderr=out, env=quiet) as server:
        try:
            deadline = time.monotonic() + 120
            while not _listens(port):
                assert server.poll() is None, log.read_text(encoding="utf-8")[-2000:]
                assert time.monotonic() < deadline, "the server does not start"
                time.sleep(0.2)
            yield f"http://127.0.0.1:{port}/v1", folder
        finally:
            server.kill()


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_transformers_serve_sees_the_frames(transformers_server):
    url, folder = transformers_server
    served = api(url, model=str(folder), new_tokens=5, timeout=60.0, concurrency=1)
    noise = torch.randint(0, 256, (2, 3, 40, 56), generator=torch.Generator().manual_seed(1))
    other = replace(asked().frames, pixels=noise.byte())
    answers: list[Answer] = served([asked(), asked(), asked(frames=other), asked(times=(1.0, 2.0))])
    assert [a.error for a in answers] == [None] * 4
    assert all(a.tokens_out == 5 for a in answers)
    assert answers[0].text == answers[1].text
    assert len({a.text for a in answers}) >= 2, "pictures and times change the answer"
    alone = served([asked(greys=(40,), times=(0.5,))])[0]
    assert answers[0].tokens_in - alone.tokens_in > 16, "a frame is pictures' tokens and a time"
