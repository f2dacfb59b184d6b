"""Weights come from a folder or the hub's cache, whole and safe, or one error says what to do."""

import json
import logging
import shutil
import socket
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from hfs import hub
from hfs.errors import MissingExtra, UsageError, WeightsError

pytest.importorskip("transformers")
COMMIT = "0123456789abcdef0123456789abcdef01234567"
CPU = {"device": torch.device("cpu"), "dtype": torch.float32}


@pytest.fixture
def copy(checkpoint, tmp_path) -> Path:
    """A checkpoint of its own for a test that breaks it."""
    return Path(shutil.copytree(checkpoint("clip"), tmp_path / "copy"))


@pytest.fixture
def hub_cache(checkpoint, tmp_path, monkeypatch) -> Path:
    """A hub cache with one downloaded model, owner/name at its main branch."""
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    model = tmp_path / "models--owner--name"
    shutil.copytree(checkpoint("clip"), model / "snapshots" / COMMIT)
    (model / "refs").mkdir()
    (model / "refs" / "main").write_text(COMMIT)
    return tmp_path


def test_a_local_folder_is_taken_as_it_is(copy):
    assert hub.folder(str(copy)) == copy
    assert hub.available(str(copy))
    model = hub.load_model(copy, **CPU)
    assert not model.training
    assert not any(parameter.requires_grad for parameter in model.parameters())


def test_a_siglip_is_read_without_a_warning_of_its_class_s_default(checkpoint, monkeypatch):
    folder, said = checkpoint("siglip"), []
    once = logging.Logger.warning_once  # pyright: ignore[reportAttributeAccessIssue]
    once.cache_clear()
    configurations = logging.getLogger("transformers.configuration_utils")
    shown = configurations.filter
    monkeypatch.setattr(configurations, "handle", lambda r: shown(r) and said.append(r))
    loaded = hub.load_config(folder)
    assert not said
    once.cache_clear()
    repr(loaded)
    assert said, "transformers no longer warns: take the filter away"


@pytest.mark.parametrize("model", ["owner/name", f"owner/name@{COMMIT}"])
def test_a_downloaded_model_is_found_offline_and_known_by_its_commit(hub_cache, model):
    found = hub.folder(model)
    assert found == hub_cache / "models--owner--name" / "snapshots" / COMMIT
    assert hub.revision_of(found) == COMMIT
    assert hub.available(model)


@pytest.mark.parametrize("model", ["owner/other", "owner/name@v2", "not a name", "a/b/c"])
def test_a_model_that_is_nowhere_is_refused_with_the_remedy(hub_cache, model):
    name = model.partition("@")[0]
    with pytest.raises(WeightsError, match=rf"hf download {name}.*local folder") as error:
        hub.folder(model)
    assert "\n" not in str(error.value)
    assert not hub.available(model)


def test_a_folder_that_is_not_there_is_not_looked_up_on_the_hub(tmp_path):
    with pytest.raises(WeightsError, match="no such folder"):
        hub.folder(str(tmp_path / "nowhere"))
    with pytest.raises(WeightsError, match="no such folder"):
        hub.folder("./nowhere/at/all")


def test_a_folder_with_pickled_weights_only_is_refused(copy):
    (copy / "model.safetensors").rename(copy / "pytorch_model.bin")
    assert not hub.available(str(copy))
    with pytest.raises(WeightsError, match="safetensors"):
        hub.folder(str(copy))
    with pytest.raises(WeightsError, match="safetensors"):
        hub.load_model(copy, **CPU)


def test_a_missing_weight_is_refused_not_drawn_at_random(copy):
    weights = load_file(copy / "model.safetensors")
    del weights["visual_projection.weight"]
    save_file(weights, copy / "model.safetensors", metadata={"format": "pt"})
    with (
        torch.random.fork_rng(),  # transformers has drawn it by the time that it is refused
        pytest.raises(WeightsError, match=r"visual_projection\.weight \(1 in all\)"),
    ):
        hub.load_model(copy, **CPU)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


@pytest.mark.parametrize("name", ["model.safetensors", "config.json"])
def test_a_broken_file_is_one_weights_error(copy, name):
    cut(copy / name)
    with pytest.raises(WeightsError, match=str(copy)) as error:
        hub.load_model(copy, **CPU)
    assert "\n" not in str(error.value)


def test_a_broken_tokenizer_or_image_processor_is_one_weights_error(copy):
    cut(copy / "tokenizer.json")
    cut(copy / "preprocessor_config.json")
    with pytest.raises(WeightsError, match=str(copy)):
        hub.load_tokenizer(copy)
    with pytest.raises(WeightsError, match=str(copy)):
        hub.load_image_processor(copy)


def test_code_in_a_checkpoint_is_never_run(copy, tmp_path):
    (copy / "evil.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\nclass Model: pass\n")
    config = json.loads((copy / "config.json").read_text())
    config |= {"model_type": "evil", "auto_map": {"AutoModel": "evil.Model"}}
    (copy / "config.json").write_text(json.dumps(config))
    with pytest.raises(WeightsError):
        hub.load_model(copy, **CPU)
    assert not (tmp_path / "ran").exists()


def test_the_revision_of_a_folder_follows_its_content_not_its_place(copy, checkpoint):
    before = hub.revision_of(copy)
    assert before == hub.revision_of(checkpoint("clip"))
    (copy / "README.md").write_text("a note")
    assert hub.revision_of(copy) == before
    weights = load_file(copy / "model.safetensors")
    weights["logit_scale"] += 1
    save_file(weights, copy / "model.safetensors", metadata={"format": "pt"})
    changed = hub.revision_of(copy)
    assert changed != before
    (copy / "tokenizer.json").write_text("{}")
    assert hub.revision_of(copy) not in (before, changed)


def test_without_transformers_the_extra_is_named(copy, monkeypatch):
    monkeypatch.setitem(sys.modules, "transformers", None)
    assert not hub.available(str(copy))
    with pytest.raises(MissingExtra, match=r"hfs-video\[models\]"):
        hub.load_model(copy, **CPU)


@pytest.fixture
def online(hub_cache, monkeypatch):
    """Points the hub's client, switched online, to an address of this machine."""
    from huggingface_hub import constants

    def to(port: int) -> None:
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
        monkeypatch.setattr(constants, "ENDPOINT", f"http://127.0.0.1:{port}")

    return to


def test_a_hub_that_never_answers_is_given_up_on_in_time(online):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        online(silent.getsockname()[1])
        start = time.monotonic()
        assert not hub.available("owner/other", timeout_seconds=0.3)
        assert time.monotonic() - start < 3


def test_a_hub_that_has_the_model_makes_it_available(online):
    class Hub(BaseHTTPRequestHandler):
        def do_GET(self):
            known = self.path == "/api/models/owner/other/revision/main"
            self.send_response(200 if known else 404)
            self.end_headers()
            self.wfile.write(json.dumps({"id": "owner/other", "sha": COMMIT}).encode())

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Hub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        online(server.server_port)
        assert hub.available("owner/other", timeout_seconds=20.0)
        assert not hub.available("owner/unknown", timeout_seconds=20.0)
    finally:
        server.shutdown()
        server.server_close()


def test_device_and_dtype_are_taken_at_their_word_or_refused():
    assert hub.pick_device("cpu") == torch.device("cpu")
    assert hub.pick_device("auto").type in ("cpu", "cuda", "mps")
    assert hub.pick_dtype("bfloat16", torch.device("cpu")) == torch.bfloat16
    assert hub.pick_dtype("auto", torch.device("cpu")) in (torch.bfloat16, torch.float32)
    for name in ("tpu", "cpu:x", ""):
        with pytest.raises(UsageError, match=r"auto, .*cpu"):
            hub.pick_device(name)
    with pytest.raises(UsageError, match="float32"):
        hub.pick_dtype("int8", torch.device("cpu"))


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has the device")
def test_a_device_that_this_machine_lacks_is_refused_not_replaced():
    with pytest.raises(UsageError, match="cuda"):
        hub.pick_device("cuda")


def test_an_image_processor_saved_inside_a_processor_is_the_same(checkpoint, tmp_path):
    from transformers import AutoProcessor

    AutoProcessor.from_pretrained(checkpoint("clip"), backend="pil").save_pretrained(tmp_path)
    assert [path.name for path in tmp_path.glob("*processor*")] == ["processor_config.json"]
    apart, inside = (hub.load_image_processor(path) for path in (checkpoint("clip"), tmp_path))
    assert type(inside) is type(apart)
    assert inside.to_dict() == apart.to_dict()
