"""The cache answers for its own keys, whole entries only, and survives what shares its folder."""

import logging
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch

from hfs.cache import Cache, Usage
from hfs.errors import CacheError

KEY = {"video": "ab", "backbone": "pixels"}


@pytest.fixture
def cache(tmp_path) -> Cache:
    return Cache(tmp_path / "deep" / "cache")


def entry(cache: Cache) -> Path:
    assert cache.root is not None
    (path,) = [p for p in cache.root.rglob("*") if p.is_file()]
    return path


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.int64, torch.uint8])
def test_gives_back_the_tensors_that_were_put(cache, dtype):
    tensors = {
        "a": torch.arange(12).reshape(3, 4).to(dtype),
        "turned": torch.arange(6).reshape(2, 3).to(dtype).T,
        "empty": torch.zeros(0, 5, dtype=dtype),
        "scalar": torch.tensor(3, dtype=dtype),
    }
    cache.put_tensors("features", KEY, tensors)
    found = cache.tensors("features", dict(reversed(KEY.items())))
    assert found is not None
    assert found.keys() == tensors.keys()
    for name, tensor in tensors.items():
        assert found[name].dtype == dtype
        assert torch.equal(found[name], tensor)


@pytest.mark.parametrize("value", [None, [], {"z": [1, 2.5, "é 漢\u2028"], "a": None}, "text", 0])
def test_gives_back_the_json_that_was_put(cache, value):
    cache.put_json("ocr", KEY, value)
    assert cache.json("ocr", KEY) == value


def test_another_key_or_kind_is_a_miss(cache):
    cache.put_json("ocr", KEY, 1)
    cache.put_tensors("features", KEY, {"a": torch.ones(1)})
    assert cache.json("ocr", {**KEY, "video": "cd"}) is None
    assert cache.json("speech", KEY) is None
    assert cache.tensors("features", {**KEY, "more": ""}) is None
    assert cache.tensors("ocr", KEY) is None


def test_without_a_folder_nothing_is_kept():
    cache = Cache(None)
    cache.put_json("ocr", KEY, 1)
    cache.put_tensors("features", KEY, {"a": torch.ones(1)})
    cache.clear()
    assert cache.json("ocr", KEY) is None
    assert cache.tensors("features", KEY) is None
    assert cache.usage() == {}


def test_counts_entries_and_bytes_of_each_kind_and_clears_them(cache):
    for i in range(3):
        cache.put_json("ocr", {"i": str(i)}, "x" * i)
    cache.put_tensors("features", KEY, {"a": torch.ones(8)})
    assert cache.root is not None
    size = {p.suffix: p.stat().st_size for p in cache.root.rglob("*.safetensors")}
    usage = cache.usage()
    assert list(usage) == ["features", "ocr"]
    assert usage["features"] == Usage(1, size[".safetensors"])
    assert usage["ocr"].entries == 3
    (cache.root / "ocr" / "of-a-killed-writer.part").write_bytes(b"half")
    cache.clear()
    assert cache.usage() == {}
    assert not [p for p in cache.root.rglob("*") if p.is_file()]
    assert cache.json("ocr", {"i": "0"}) is None


def test_a_second_put_replaces_the_first(cache):
    cache.put_json("ocr", KEY, 1)
    cache.put_json("ocr", KEY, 2)
    assert cache.json("ocr", KEY) == 2
    assert cache.usage()["ocr"].entries == 1


def flip(content: bytes) -> bytes:
    return content[:-3] + bytes([content[-3] ^ 1]) + content[-2:]


DAMAGE = {
    "empty": lambda content: b"",
    "cut": lambda content: content[:-5],
    "one bit flipped": flip,
    "zeros": lambda content: bytes(len(content)),
    "something else": lambda content: b'{"key": 1}',
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE.keys())
@pytest.mark.parametrize("kind", ["tensors", "json"])
def test_a_damaged_entry_is_a_miss_that_is_logged_and_replaced(cache, kind, damage, caplog):
    def put():
        if kind == "json":
            cache.put_json("k", KEY, "value")
        else:
            cache.put_tensors("k", KEY, {"a": torch.ones(16)})

    def get():
        return cache.json("k", KEY) if kind == "json" else cache.tensors("k", KEY)

    put()
    path = entry(cache)
    path.write_bytes(damage(path.read_bytes()))
    with caplog.at_level(logging.WARNING, "hfs.cache"):
        assert get() is None
    assert "damaged" in caplog.text
    assert str(path) in caplog.text
    put()
    assert get() is not None


def test_an_entry_under_another_keys_name_is_a_miss(cache, caplog):
    cache.put_json("k", KEY, 1)
    content = entry(cache).read_bytes()
    cache.clear()
    other = {"video": "another"}
    cache.put_json("k", other, 2)
    entry(cache).write_bytes(content)
    assert cache.json("k", other) is None
    assert "another key" in caplog.text


def test_a_file_where_the_folder_should_be_is_refused_with_the_remedy(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(CacheError, match=r"file.*--cache DIR.*--cache none"):
        Cache(tmp_path / "file")


def test_a_file_where_a_kinds_folder_should_be_is_refused_with_the_remedy(cache):
    assert cache.root is not None
    (cache.root / "k").write_text("")
    with pytest.raises(CacheError, match="--cache DIR"):
        cache.put_json("k", KEY, 1)
    with pytest.raises(CacheError, match="--cache DIR"):
        cache.json("k", KEY)


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may write anywhere")
def test_a_folder_without_write_permission_is_refused(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(CacheError, match="--cache none"):
        Cache(tmp_path)


def test_a_full_disk_is_refused_and_leaves_nothing_behind(cache, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(CacheError, match="No space left"):
        cache.put_json("k", KEY, 1)
    assert cache.root is not None
    assert not [p for p in cache.root.rglob("*") if p.is_file()]


def test_a_folder_that_is_removed_meanwhile_is_made_again(cache):
    cache.put_json("k", KEY, 1)
    path = entry(cache)
    path.unlink()
    path.parent.rmdir()
    path.parent.parent.rmdir()
    cache.put_json("k", KEY, 2)
    assert cache.json("k", KEY) == 2


def test_the_default_lies_in_the_users_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    root = Cache.default().root
    assert root is not None
    assert root.is_dir()
    assert root.name == "hfs"


CLEARER = """
import pathlib, sys
while True:
    for path in pathlib.Path(sys.argv[1]).glob("*/*"):
        path.unlink(missing_ok=True)
"""


def test_writers_of_one_entry_and_a_clearer_never_see_a_torn_entry(cache, caplog):
    hits = [0]

    def write(value: float) -> None:
        for _ in range(400):
            cache.put_tensors("k", KEY, {"x": torch.full((4096,), value)})
            if found := cache.tensors("k", KEY):
                hits[0] += 1
                assert found["x"].unique().numel() == 1
            cache.usage()

    clearer = subprocess.Popen([sys.executable, "-S", "-c", CLEARER, str(cache.root)])
    try:
        with ThreadPoolExecutor(2) as pool:  # all they share is the folder, as processes would
            list(pool.map(write, (1.0, 2.0)))
    finally:
        clearer.kill()
        clearer.wait()
    assert hits[0]
    assert "damaged" not in caplog.text
