"""Any stretch of packets, wherever the reader was before, is the one of the first pass."""

import io
from pathlib import Path

import pytest
import torch
from render import render

from hfs.errors import VideoError
from hfs.media.container import only, open_container, prepare, video_stream
from hfs.media.packet_reader import AstrayError, PacketReader, read_all
from hfs.media.packets import Packets
from hfs.media.source import BytesSource
from hfs.types import Limits

B_FRAMES = {"preset": "veryfast", "g": "12", "bf": "3", "sc_threshold": "0"}
FILES = ("a.mp4", "a.mov", "a.mkv", "a.ts", "a.avi", "a.flv", "a.h264", "a.mpg")
COUNT = 300


class Counted(BytesSource):
    """Counts how often it is opened."""

    opened = 0

    def open(self) -> io.BufferedIOBase:
        self.opened += 1
        return super().open()


@pytest.fixture(scope="module", params=FILES)
def file(request, tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("reader") / request.param
    if path.suffix == ".mpg":
        return render(path, range(COUNT), codec="mpeg2video", options={"g": "12", "bf": "2"})
    return render(path, range(COUNT), options=B_FRAMES)


def first_pass(source: BytesSource) -> Packets:
    container = open_container(source)
    stream = video_stream(container, source.uri, None, Limits())
    prepare(stream, Limits())
    only(container, [stream])
    return read_all(container, stream, pytest.fail)


def reader(source: BytesSource, known: Packets) -> PacketReader:
    return PacketReader(source, 0, Limits(), known, pytest.fail)


def taken(reader: PacketReader, start: int, stop: int) -> list[tuple[int, bytes]]:
    """Positions and contents; after going astray once, from the beginning."""
    for _ in range(2):
        try:
            return [(at, bytes(packet)) for at, packet in reader.span(start, stop)]
        except AstrayError:
            continue
    raise AssertionError("went astray twice")


def test_stretches_in_any_order_are_those_of_the_first_pass(file):
    source = BytesSource(file.read_bytes())
    known = first_pass(source)
    whole = taken(reader(source, known), 0, COUNT - 1)
    assert [at for at, _ in whole] == list(range(COUNT))
    jumping = reader(source, known)
    keys = torch.from_numpy(known.keyframe).nonzero().flatten()
    for start in keys[
        torch.randperm(len(keys), generator=torch.Generator().manual_seed(0))
    ].tolist():
        stop = min(start + 9, COUNT - 1)
        assert taken(jumping, start, stop) == whole[start : stop + 1]


def test_going_forward_opens_a_file_once_even_where_no_seek_is_possible(file):
    source = Counted(file.read_bytes())
    known = first_pass(source)
    before = source.opened
    forward = reader(source, known)
    keys = torch.from_numpy(known.keyframe).nonzero().flatten().tolist()
    for start in (keys[0], keys[-8], keys[-1]):
        taken(forward, start, start)
    assert source.opened - before <= (1 if file.suffix in (".mp4", ".mkv", ".ts", ".h264") else 2)


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.avi"])
def test_a_file_that_changes_while_it_is_open_is_noticed(tmp_path, name):
    known = first_pass(BytesSource(render(tmp_path / name, options=B_FRAMES).read_bytes()))
    other = render(tmp_path / f"other_{name}", codec="mpeg4").read_bytes()
    with pytest.raises(VideoError, match="has changed"):
        taken(reader(BytesSource(other), known), 0, 49)
