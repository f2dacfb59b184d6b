"""Specs are read, never run, and name files of the plug-in folders."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hfs import plugins
from hfs.errors import SpecError
from hfs.plugins import Spec, parse

literals = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.floats(allow_nan=False),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=5,
)


@given(st.dictionaries(st.sampled_from(["a", "b_c", "d1"]), literals, max_size=3))
def test_the_text_of_a_spec_parses_to_the_same_spec(options):
    spec = Spec("name", options)
    if "inf" in str(spec):  # no literal
        return
    assert parse(str(spec)) == spec


def test_specs_nest():
    spec = parse("offline(selector=hfs(coverage=0.3), readers=[subtitles, ocr(limit=3)])")
    assert spec.options["selector"] == Spec("hfs", {"coverage": 0.3})
    assert spec.options["readers"][1] == Spec("ocr", {"limit": 3})


@pytest.mark.parametrize(
    "text", ["", "a.b", "a(1)", "a(**b)", "a(b=c+1)", "a(b=lambda: 0)", "a; b", "(" * 500]
)
def test_anything_else_is_refused(text):
    with pytest.raises(SpecError):
        parse(text)


def test_every_file_of_every_folder_is_a_described_plug_in():
    for group in ("decoders", "samplers", "readers", "backbones", "encoders", "scorers"):
        for name in plugins.names(group):
            assert len(plugins.describe(plugins.load(group, name))) > 10, (group, name)


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("nobody", "hfs"),
        ("hfs(colour=1)", "coverage"),
        ("hfs(coverage=7)", "from 0 to 1"),
        ("hfs(coverage='much')", "coverage to be float or None"),
    ],
)
def test_a_wrong_name_option_or_value_says_what_is_right(spec, said):
    with pytest.raises(SpecError, match=said):
        plugins.build("selectors", spec)


def test_an_option_is_one_of_its_words():
    with pytest.raises(SpecError, match="'duplicate', 'neighbour', 'images', got 'both'"):
        plugins.build("exporters", "qwen(pairing='both')")


def test_an_option_that_has_to_be_given_is_listed_as_such():
    known = plugins.options(plugins.load("answerers", "local"))
    assert str(Spec("local", {"model": known["model"]})) == "local(model=...)"
