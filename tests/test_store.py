"""Videos are looked at once: files are whole, resumable, shared among machines, and checked."""

import shutil
from pathlib import Path

import checkpoints
import checkpoints_students
import checkpoints_teachers
import cue_clips
import pytest
import torch
from safetensors.torch import load_file, save_file

from hfs import cli, student_inputs
from hfs.errors import UsageError
from hfs.training.store import Maker, Seen, Store, estimate, shard
from hfs.training.teacher import Teacher
from hfs.video import Video

SAMPLER = "grid(fps=1.0, least=1)"
SRT = "1\n00:00:02,000 --> 00:00:03,500\na red card\n"


@pytest.fixture(scope="module")
def bench(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("store")
    for name, make in {
        "slm": checkpoints_students.qwen3,
        "teacher": checkpoints_teachers.qwen3_vl,
        "eyes": checkpoints.siglip,
    }.items():
        (root / name).mkdir()
        make(root / name)
    cue_clips.clips(root, count=3)
    (root / "videos" / "clip-1.srt").write_text(SRT)
    return root


def spec(bench: Path) -> str:
    return f"siglip(model={str(bench / 'eyes')!r}, device='cpu', dtype='float32')"


def videos(bench: Path) -> list[tuple[str, Path]]:
    return [(f"clip-{i}.mp4", bench / "videos" / f"clip-{i}.mp4") for i in range(3)]


@pytest.fixture(scope="module")
def maker(bench) -> Maker:
    teacher = Teacher.from_pretrained(
        str(bench / "teacher"), device="cpu", dtype="float32", frozen=True
    )
    return Maker(spec(bench), SAMPLER, ("subtitles",), teacher)


def nothing(stage: str, done: int, total: int) -> None: ...


def test_what_is_kept_is_what_backbone_teacher_and_readers_give(bench, maker, tmp_path):
    store = Store(tmp_path)
    store.fill(videos(bench), maker, nothing)
    found: Seen = store.get("clip-1.mp4")
    with Video.open(videos(bench)[1][1]) as video:
        (frames,) = video.frames(torch.arange(cue_clips.SECONDS))
    assert torch.equal(found.features.times, frames.times)
    assert torch.equal(found.features.vectors, maker.eyes.embed(frames.pixels))
    assert maker.teacher is not None
    assert found.visual is not None
    assert torch.equal(found.visual.tokens, maker.teacher.encode(frames.pixels).tokens)
    assert len(found.visual.extra) == 2
    assert (found.start, found.end) == (0.0, float(cue_clips.SECONDS))
    (line,) = found.evidence.items
    assert (line.text, line.start, line.end) == ("a red card", 2.0, 3.5)
    assert found.said is not None
    said = student_inputs.text(
        found.evidence, frames.times, maker.eyes.embed_text, width=found.said.shape[1]
    )
    assert torch.equal(found.said, said)
    assert store.get("clip-0.mp4").said is None


def test_what_is_there_is_not_made_again_and_what_is_not_whole_is(bench, maker, tmp_path):
    store = Store(tmp_path)
    assert store.missing(videos(bench)) == videos(bench)
    store.fill(videos(bench)[:2], maker, nothing)
    assert store.missing(videos(bench)) == videos(bench)[2:]
    file = next((tmp_path / "videos").glob("clip-0-*.safetensors"))
    file.write_bytes(file.read_bytes()[:-5])
    assert store.missing(videos(bench)) == [videos(bench)[0], videos(bench)[2]]
    with pytest.raises(UsageError, match=r"features of 'clip-0.mp4' .*make them with hfs features"):
        store.get("clip-0.mp4")
    assert not list((tmp_path / "videos").glob("*.part"))


def test_a_video_of_another_size_is_looked_at_again(bench, maker, tmp_path):
    moved = tmp_path / "clip-0.mp4"
    moved.write_bytes((bench / "videos" / "clip-0.mp4").read_bytes())
    store = Store(tmp_path / "store")
    store.fill([("clip-0.mp4", moved)], maker, nothing)
    assert store.missing([("clip-0.mp4", moved)]) == []
    moved.write_bytes(moved.read_bytes() + b"\0")
    assert store.missing([("clip-0.mp4", moved)]) == [("clip-0.mp4", moved)]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"sampler": "grid"}, "made with the sampler 'grid', got 'grid"),
        ({"readers": ()}, r"made with the readers \[\], got \['subtitles'\]"),
        ({"teacher": None}, "made with the teacher None, got"),
        ({"backbone": "pixels"}, "made with the backbone 'pixels', got .siglip"),
    ],
)
def test_a_store_made_in_another_way_is_refused(bench, maker, tmp_path, changes, said):
    Store(tmp_path).prepare(maker)
    fields = {name: getattr(maker, name) for name in ("backbone", "sampler", "readers", "teacher")}
    with pytest.raises(UsageError, match=said):
        Store(tmp_path).prepare(Maker(**{**fields, **changes}))


def test_the_same_backbone_in_another_place_is_the_same(bench, maker, tmp_path):
    Store(tmp_path / "store").prepare(maker)
    for place in ("moved", "other"):
        shutil.copytree(bench / "eyes", tmp_path / place)
    weights = tmp_path / "other" / "model.safetensors"
    save_file({k: v + 1 for k, v in load_file(weights).items()}, weights, {"format": "pt"})

    def looking(place: str) -> Maker:
        elsewhere = maker.backbone.replace(str(bench / "eyes"), str(tmp_path / place))
        return Maker(elsewhere, maker.sampler, maker.readers, maker.teacher)

    Store(tmp_path / "store").prepare(looking("moved"))
    with pytest.raises(UsageError, match="made with the revision"):
        Store(tmp_path / "store").prepare(looking("other"))


def test_a_broken_video_is_named_and_the_others_are_made(bench, maker, tmp_path):
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"no video")
    store = Store(tmp_path / "store")
    (line,) = store.fill([("broken.mp4", broken), *videos(bench)[:1]], maker, nothing)
    assert line.startswith("broken.mp4: ")
    assert store.missing(videos(bench)[:1]) == []


def test_shards_part_the_videos_by_name_alone():
    many = [(f"video-{i}", Path(f"{i}.mp4")) for i in range(200)]
    parts = [shard(many, f"{i}/3") for i in (1, 2, 3)]
    assert sorted(v for part in parts for v in part) == sorted(many)
    assert min(map(len, parts)) > 40
    assert shard(many[50:60], "2/3") == [v for v in many[50:60] if v in parts[1]]
    for wrong in ("0/3", "4/3", "1", "a/b", "1/0"):
        with pytest.raises(UsageError, match="expected a shard i/n"):
            shard(many, wrong)


def test_the_estimate_is_near_what_the_files_take(bench, maker, tmp_path):
    candidates, size = estimate(videos(bench), maker)
    Store(tmp_path).fill(videos(bench), maker, nothing)
    taken = sum(f.stat().st_size for f in (tmp_path / "videos").iterdir())
    assert candidates == 3 * cue_clips.SECONDS
    assert size == pytest.approx(taken, rel=0.2)


def run(capfd, *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as end:
        cli.main(["features", *arguments])
    out, err = capfd.readouterr()
    return int(end.value.code or 0), out, err


def test_the_command_makes_shards_goes_on_and_says_what_it_will_take(bench, tmp_path, capfd):
    data, folder = str(bench / "questions.jsonl"), str(bench / "videos")
    given = (data, "--videos", folder, "--out", str(tmp_path), "--model", spec(bench))
    given += ("--teacher", str(bench / "teacher"), "--dtype", "float32", "--sampler", SAMPLER)
    first = shard(videos(bench), "1/2")
    code, out, err = run(capfd, *given, "--shard", "1/2")
    assert (code, out) == (0, f"{tmp_path}\n")
    assert f"0 of {len(first)} videos are done; the others will take about" in err
    assert f"{len(first) * cue_clips.SECONDS} frames" in err
    assert Store(tmp_path).missing(videos(bench)) == [v for v in videos(bench) if v not in first]
    code, out, err = run(capfd, *given, "--slm", str(bench / "slm"))
    assert code == 0
    assert f"{len(first)} of 3 videos are done" in err
    assert Store(tmp_path).missing(videos(bench)) == []
    assert Store(tmp_path).thoughts.usage()["thoughts"].entries == 1  # all ask the same


@pytest.mark.parametrize(
    ("option", "value", "code", "said"),
    [
        ("--shard", "3/2", 2, "expected a shard i/n with 1 <= i <= n, such as 1/4, got '3/2'"),
        ("--model", "siglib(batch=2)", 2, "expected one of the backbones (clip, pixels, siglip)"),
        ("--teacher", "./nowhere", 1, "./nowhere: no such folder"),
    ],
)
def test_what_cannot_be_is_said_before_any_video_is_opened(
    bench, tmp_path, capfd, option, value, code, said
):
    data, folder = str(bench / "questions.jsonl"), str(bench / "videos")
    given = [data, "--videos", folder, "--out", str(tmp_path / "store"), "--model", "pixels"]
    found, out, err = run(capfd, *given, option, value)
    assert (found, out) == (code, "")
    assert said in err
    assert not (tmp_path / "store").exists()
