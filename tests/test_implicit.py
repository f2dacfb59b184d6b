"""A trained student runs as a pipeline: its thought, its cues and its verdict are in the result."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.nn.functional import normalize

pytest.importorskip("transformers")
pytest.importorskip("peft")

import checkpoints_students as students
from render import render

import hfs
from hfs import plugins, presets, student_inputs, trained
from hfs.cache import Cache
from hfs.cli import main
from hfs.errors import SpecError, UsageError, WeightsError
from hfs.plugins import Spec
from hfs.query import query
from hfs.types import Candidates, Evidence, Features, Query, TimedText

QUESTION, OPTIONS = "What is above the door?", ("a number", "a lamp")
CUES = "when the man opens the door\nread the number above it"
WHAT = ("the man opens the door", "the number above it")


@pytest.fixture(scope="module")
def slm(tmp_path_factory) -> Path:
    return students.taught(tmp_path_factory.mktemp("taught"), [(QUESTION, OPTIONS, f"{CUES}\n")])


def look(checkpoint: Any, name: str = "siglip") -> str:
    options = {"model": str(checkpoint(name)), "device": "cpu", "dtype": "float32"}
    return str(Spec("clip" if name == "clip" else "siglip", options))


def student(place: Path, slm: Path, checkpoint: Any, **config: Any) -> Path:
    """A student with adapters, for the tiny SigLIP."""
    spec = look(checkpoint)
    return students.student(
        place,
        slm,
        lora={"r": 2},
        feature_width=32,
        text_width=32,
        thought_tokens=64,
        backbone=spec,
        backbone_revision=plugins.build("backbones", spec).revision,
        readers=["subtitles"],
        **config,
    )


@pytest.fixture(scope="module")
def folder(slm, checkpoint, tmp_path_factory) -> Path:
    return student(
        tmp_path_factory.mktemp("implicit"), slm, checkpoint, selector="hfs(coverage=0.2)"
    )


@pytest.fixture(scope="module")
def video(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("video") / "v.mp4"
    (path.parent / "v.srt").write_text("1\n00:00:03,000 --> 00:00:05,000\nThe number is seven.\n")
    return render(path, [5 * i for i in range(60)])


def encoder(folder: Path, **options: Any) -> Any:
    return plugins.build("encoders", Spec("implicit", {"model": str(folder), **options}))


def scorer(folder: Path) -> Any:
    return plugins.build("scorers", Spec("student", {"model": str(folder)}))


def backbone(checkpoint: Any, name: str = "siglip") -> Any:
    return plugins.build("backbones", look(checkpoint, name))


def test_select_with_a_model_shows_the_thought_and_each_frames_cue(folder, video, tmp_path, capsys):
    line = ["select", video, QUESTION, "-k", 4, "--model", folder, "--json", "-", "--out", "o"]
    line += [word for option in OPTIONS for word in ("--option", option)]
    with pytest.raises(SystemExit) as stopped:
        main([str(tmp_path / "o") if word == "o" else str(word) for word in line])
    out, err = capsys.readouterr()
    assert stopped.value.code == 0, err
    document = json.loads(out)
    assert document["query"]["thought"] == CUES
    assert document["query"]["facets"] == [QUESTION, QUESTION, *WHAT]
    assert sum(document["query"]["weights"]) == pytest.approx(1)
    assert len(document["frames"]) == 4
    assert {frame["facet"] for frame in document["frames"]} <= set(WHAT)
    assert document["channels"] == {"student": 1.0}
    for part in ("encoder=implicit(", "scorers=[student(", "siglip(", "hfs(coverage=0.2)"):
        assert part in document["pipeline"]
    page = (tmp_path / "o" / "report.html").read_text()
    assert f'<p class="thought">{CUES}</p>' in page
    assert page.count(f"<dt>{QUESTION}</dt>") == 1
    assert f"“{WHAT[0]}”" in page or f"“{WHAT[1]}”" in page


def test_the_selector_that_the_student_names_chooses_and_is_told(
    slm, checkpoint, video, tmp_path, capsys
):
    known = {"selector": "routed", "selectors": ["uniform", "top_k"]}
    routed = student(tmp_path / "routed", slm, checkpoint, **known)
    made = trained.load(str(routed))
    with torch.no_grad():
        made.route.bias.copy_(torch.tensor([0.0, 1.0]))
    made.save_pretrained(routed)
    line = ["select", str(video), QUESTION, "-k", "4", "--model", str(routed)]
    with pytest.raises(SystemExit):
        main([*line, "--out", str(tmp_path / "o")])
    assert "Chosen by: top_k" in capsys.readouterr().out
    document = json.loads((tmp_path / "o/selection.json").read_text())
    assert document["query"]["selector"] == "top_k"
    assert "<code>top_k</code>" in (tmp_path / "o/report.html").read_text()
    told, plain = (
        hfs.select(video, QUESTION, pipeline=f"trained(model={str(routed)!r}{given})", budget=4)
        for given in ("", ", selector=top_k")
    )
    assert told.times == plain.times
    assert "selector" not in plain.query


def test_a_selection_names_a_pipeline_that_makes_it_again(folder, video):
    first = hfs.select(video, QUESTION, pipeline=f"trained(model={str(folder)!r})", budget=3)
    again = hfs.select(video, QUESTION, pipeline=first.pipeline, budget=3)
    assert again.frames == first.frames
    assert again.pipeline == first.pipeline


def test_a_stage_can_be_replaced_beside_the_model(folder):
    pipeline, _ = presets.resolve(f"trained(model={str(folder)!r}, selector=top_k)")
    assert pipeline.selector == "top_k"
    assert pipeline.readers == ("subtitles",)
    with pytest.raises(SpecError, match="colour"):
        presets.resolve(f"trained(model={str(folder)!r}, colour=red)")
    with pytest.raises(SpecError, match=r"trained\(model='DIR'\)"):
        presets.resolve("trained")


def test_model_and_pipeline_together_are_refused(folder, video, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["select", str(video), "q", "--model", str(folder), "--pipeline", "offline"])
    assert stopped.value.code == 2
    assert "expected --model or --pipeline, got both" in capsys.readouterr().err


def test_the_query_holds_a_vector_for_each_facet_in_both_spaces(folder, checkpoint):
    made = query(QUESTION, OPTIONS, encoder(folder), backbone(checkpoint))
    assert made.facets == (QUESTION, QUESTION, *WHAT)
    assert made.implicit is not None
    assert made.implicit.shape == (4, 16)
    assert made.vectors is not None
    assert made.vectors.shape == (4, 32)
    assert made.notes == ()


def test_a_thought_without_cues_is_noted(folder, checkpoint, tmp_path):
    cache = Cache(tmp_path)
    made = query("Nobody taught it this.", (), encoder(folder), backbone(checkpoint), cache)
    assert cache.usage()["thoughts"].entries == 1
    if made.notes:
        assert "the question serves as the only cue" in made.notes[0]
        assert set(made.facets) == {"Nobody taught it this."}


def test_another_backbone_is_refused_with_the_remedy(folder, checkpoint, video):
    with pytest.raises(UsageError, match=rf"trained with, siglip.*--model {folder}"):
        query(QUESTION, OPTIONS, encoder(folder), backbone(checkpoint, "siglip2"))
    spec = f"trained(model={str(folder)!r}, backbone={look(checkpoint, 'siglip2')})"
    with pytest.raises(UsageError, match="trained with"):
        hfs.select(video, QUESTION, pipeline=spec)


def test_the_same_weights_in_another_precision_are_the_same_backbone(folder, checkpoint):
    half = Spec(
        "siglip", {"model": str(checkpoint("siglip")), "device": "cpu", "dtype": "bfloat16"}
    )
    query(QUESTION, OPTIONS, encoder(folder), plugins.build("backbones", half))


def test_the_scorer_needs_the_students_own_vectors_and_features(folder, checkpoint):
    n = 6
    times = torch.arange(n, dtype=torch.float64)
    candidates = Candidates(times, torch.arange(n), 0.0, float(n))
    revision = backbone(checkpoint).revision
    vectors = normalize(torch.ones(n, 32), dim=1)
    features = Features(vectors, times, candidates.indices, f"siglip {revision}")
    asked = query(QUESTION, OPTIONS, encoder(folder), backbone(checkpoint))
    (channel,) = scorer(folder)(candidates, features, Evidence(), asked)
    assert channel.relevance is not None
    assert channel.facets.shape == (4, n)
    plain = Query(QUESTION, (), (QUESTION,), torch.ones(1))
    with pytest.raises(UsageError, match=r"width 16 .*got none: use encoder=implicit"):
        scorer(folder)(candidates, features, Evidence(), plain)
    other = Features(vectors, times, candidates.indices, "siglip other-float32")
    with pytest.raises(UsageError, match="got one at revision other-float32"):
        scorer(folder)(candidates, other, Evidence(), asked)


def test_what_is_said_near_a_candidate_counts_for_it(folder, checkpoint):
    n = 40
    times = torch.arange(n, dtype=torch.float64)
    candidates = Candidates(times, torch.arange(n), 0.0, float(n))
    g = torch.Generator().manual_seed(0)
    seen = normalize(torch.randn(n, 32, generator=g), dim=1)
    features = Features(seen, times, candidates.indices, f"x {backbone(checkpoint).revision}")
    asked = query(QUESTION, OPTIONS, encoder(folder), backbone(checkpoint))
    said = Evidence((TimedText(10.0, 10.5, "what the man opens", "subtitles"),))
    (silent,) = scorer(folder)(candidates, features, Evidence(), asked)
    (heard,) = scorer(folder)(candidates, features, said, asked)
    assert silent.relevance is not None
    assert heard.relevance is not None
    change = (heard.relevance - silent.relevance).abs()
    assert float(change[9:12].max()) > float(change[20:].max())


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"model_type": "qwen3"}, "not a configuration of model_type 'hfs_student'"),
        ({"backbone": 7}, "backbone 7, not text"),
        ({"readers": "ocr"}, "readers 'ocr', not a list"),
        (None, "expected a trained student"),
    ],
)
def test_a_folder_that_records_no_student_is_refused(folder, tmp_path, change, said):
    broken = Path(shutil.copytree(folder, tmp_path / "broken"))
    values = json.loads((broken / "config.json").read_text())
    text = "[" if change is None else json.dumps({**values, **change})
    (broken / "config.json").write_text(text)
    with pytest.raises(WeightsError, match=said):
        presets.resolve(f"trained(model={str(broken)!r})")


def test_a_name_without_weights_says_what_to_do(monkeypatch, tmp_path):
    monkeypatch.setattr(trained, "PACKAGED", {"world": tmp_path / "none"})
    with pytest.raises(WeightsError, match=r"inside this package.*hfs train world"):
        presets.resolve("trained(model=world)")
    with pytest.raises(WeightsError, match="no such folder"):
        presets.resolve("trained(model='/nowhere')")


def test_a_student_is_loaded_once_a_process_and_a_backbone_may_lie_beside_it(folder, tmp_path):
    assert trained.student(str(folder)) is trained.student(str(folder))
    own = Path(shutil.copytree(folder, tmp_path / "own"))
    values = json.loads((own / "config.json").read_text())
    values["backbone"] = "siglip(model='./backbone')"
    (own / "config.json").write_text(json.dumps(values))
    assert trained.record(str(own)).backbone == f"siglip(model={str(own / 'backbone')!r})"


def test_merge_puts_base_and_backbone_into_one_folder(folder, checkpoint, video, tmp_path, capsys):
    parts = Path(shutil.copytree(folder, tmp_path / "parts"))
    shutil.copytree(checkpoint("siglip"), parts / "eyes")
    values = json.loads((parts / "config.json").read_text())
    values["backbone"] = "siglip(model='./eyes', device='cpu', dtype='float32')"
    (parts / "config.json").write_text(json.dumps(values))

    def run(*line: object) -> int:
        with pytest.raises(SystemExit) as stopped:
            main([str(word) for word in line])
        return int(str(stopped.value.code))

    assert run("merge", parts, tmp_path / "one") == 0
    assert "holds the whole student" in capsys.readouterr().err
    assert json.loads((tmp_path / "one" / "config.json").read_text())["base"] == ""
    spec = "trained(model={!r})"
    one, other = (
        hfs.select(video, QUESTION, options=OPTIONS, pipeline=spec.format(str(place)), budget=3)
        for place in (tmp_path / "one", parts)
    )
    assert one.times == other.times
    assert one.query == other.query
    assert run("merge", parts, tmp_path / "one") == 2
    assert "expected a new folder" in capsys.readouterr().err


def test_text_near_candidates_is_embedded_once_and_silence_is_zeros():
    read: list[list[str]] = []

    def embed(texts: list[str]) -> torch.Tensor:
        read.append(texts)
        return torch.tensor([[float(len(t)), 1.0] for t in texts])

    said = Evidence((TimedText(2.0, 4.0, "one", "subtitles"), TimedText(3.5, 3.6, "two", "ocr")))
    times = torch.tensor([0.0, 2.0, 3.0, 4.0, 9.0], dtype=torch.float64)
    found = student_inputs.text(said, times, embed, width=2)
    assert read == [["one", "one two"]]
    assert found.tolist() == [[0, 0], [3, 1], [7, 1], [7, 1], [0, 0]]
    assert student_inputs.text(Evidence(), times, embed, width=2).tolist() == [[0, 0]] * 5


def test_the_prior_follows_its_definition():
    g = torch.Generator().manual_seed(0)
    words, seen = (normalize(torch.randn(n, 8, generator=g), dim=1) for n in (3, 20))
    said = torch.zeros(20, 8)
    said[[3, 4, 5]] = normalize(torch.randn(3, 8, generator=g), dim=1)

    def z(x: torch.Tensor) -> torch.Tensor:
        return (x - x.mean()) / x.std(correction=0)

    plain, heard = (
        student_inputs.prior(words, seen, m=3),
        student_inputs.prior(words, seen, said, m=3),
    )
    for j in range(3):
        cosines = torch.stack([words[j] @ f for f in seen])
        torch.testing.assert_close(plain[j], z(cosines), atol=1e-3, rtol=1e-3)
        spoken = torch.stack([words[j] @ t for t in said])
        spoken[said.norm(dim=1) == 0] = spoken[[3, 4, 5]].mean()
        torch.testing.assert_close(
            heard[j], plain[j] + z(spoken).clamp_min(0), atol=1e-3, rtol=1e-3
        )
    assert student_inputs.prior(None, seen, m=2).tolist() == [[0.0] * 20] * 2
