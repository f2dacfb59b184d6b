"""A model card says what a student was made from, and what is not known."""

import json
import re

import pytest

from hfs.model_card import LICENSE_NOTE, card

CONFIG = {
    "base": "Qwen/Qwen3-0.6B@abc",
    "base_revision": "abc",
    "backbone": "siglip(model='google/siglip2-base-patch16-224')",
    "backbone_revision": "def-float32",
    "lora": {"r": 16},
}


def head(text: str) -> dict[str, object]:
    """The YAML between the rules; each value is written as JSON, which is YAML too."""
    found = re.match(r"---\n(.*?)\n---\n", text, re.DOTALL)
    assert found is not None
    pairs = (line.split(": ", 1) for line in found[1].splitlines())
    return {name: json.loads(value) for name, value in pairs}


def test_it_names_recipe_data_commit_base_and_figures():
    text = card(
        CONFIG,
        recipe="qwen3_video",
        data="NExT-QA train",
        commit="1234abcd",
        teacher="Qwen/Qwen3-VL-8B",
        figures={"accuracy at k = 4": 0.91234, "minutes": "12"},
        notes="One seed.",
    )
    assert head(text)["base_model"] == "Qwen/Qwen3-0.6B"
    for line in (
        "| Language model | `Qwen/Qwen3-0.6B@abc` |",
        "| Trained | `adapters (r 16)` |",
        "| Recipe | `qwen3_video` |",
        "| Data | `NExT-QA train` |",
        "| Code | `1234abcd` |",
        "| Teacher | `Qwen/Qwen3-VL-8B` |",
        "| accuracy at k = 4 | 0.9123 |",
        "| minutes | 12 |",
        "One seed.",
        LICENSE_NOTE,
    ):
        assert line in text


def test_what_is_not_known_is_said_to_be_not_recorded():
    text = card({"base": "", "backbone": "pixels"})
    assert "| Recipe | not recorded |" in text
    assert "| Language model | `inside this checkpoint` |" in text
    assert "Nothing was measured." in text
    assert "base_model" not in head(text)


@pytest.mark.parametrize("base", ["/home/me/model", "./slm", "~/model"])
def test_a_folder_is_no_base_model_of_the_hub(base):
    text = card({**CONFIG, "base": base})
    assert "base_model" not in head(text)
    assert "/me/" not in text


def test_a_cell_stays_a_cell():
    assert "| Data | `a \\| b c` |" in card(CONFIG, data="a | b\nc")
