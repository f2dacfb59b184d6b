"""Names and specs become pipelines, and say what had to serve in place of what."""

import pytest

from hfs import presets
from hfs.errors import SpecError
from hfs.presets import Pipeline, resolve


def test_a_pipelines_text_gives_the_same_pipeline_back():
    pipeline, _ = resolve("offline(selector=hfs(coverage=0.5), readers=[subtitles])")
    assert pipeline.selector == "hfs(coverage=0.5)"
    assert pipeline.readers == ("subtitles",)
    assert resolve(str(pipeline)) == (pipeline, ())


def test_a_single_reader_needs_no_list_and_an_empty_list_means_none():
    assert resolve("offline(readers=subtitles)")[0].readers == ("subtitles",)
    assert resolve("offline(readers=[])")[0].readers == ()


def test_auto_without_weights_or_network_is_offline_and_says_so():
    pipeline, fallbacks = resolve("auto")
    assert pipeline.backbone == Pipeline().backbone
    assert any("offline serves in place of balanced" in line for line in fallbacks)


def test_balanced_looks_with_siglip_and_reads_with_its_text_tower():
    pipeline, _ = resolve("balanced")
    assert presets.WEIGHTS in pipeline.backbone
    assert pipeline.encoder == "text"


def test_a_preset_without_ocr_installed_leaves_it_out_and_says_so(monkeypatch):
    monkeypatch.setattr(presets, "_has_ocr", lambda: False)
    pipeline, fallbacks = resolve("offline")
    assert pipeline.readers == ("subtitles",)
    assert "hfs-video[ocr]" in fallbacks[0]
    assert resolve("offline(readers=[ocr])")[0].readers == ("ocr",)  # asked for: an error later


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("fancy", "auto, offline, balanced"),
        ("offline(colour=red)", "colour"),
        ("offline(selector=[top_k, mmr])", "a plug-in for selector"),
        ("offline(selector=3)", "a plug-in for selector"),
        ("offline(", "expected a spec"),
        ("__import__('os').system('true')", "expected a spec"),
    ],
)
def test_an_impossible_spec_is_refused_with_what_is_possible(spec, said):
    with pytest.raises(SpecError, match=said.replace("(", r"\(")):
        resolve(spec)
