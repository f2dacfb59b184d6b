"""Every backbone gives unit vectors a frame; the towers give exactly their checkpoint's own."""

import importlib.util

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from torch.nn.functional import interpolate, normalize

from hfs import plugins
from hfs.errors import SpecError, UsageError
from hfs.towers import pieces

TOWERS = ["siglip", "siglip2", "siglip2_naflex", "clip"]
LONG = "Where is the cat sleeping, and how many dogs are there in the garden? " * 6


def pictures(n: int, height: int = 40, width: int = 56, seed: int = 0) -> torch.Tensor:
    """Smooth random pictures, so that a resize does not turn them all into grey."""
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.rand(n, 3, 5, 7, generator=generator) * 255
    return interpolate(coarse, (height, width), mode="bilinear").byte()


@pytest.fixture
def make(checkpoint):
    """A backbone by the name of its checkpoint, or by its own where it needs none."""

    def build(name: str, **options):
        if name not in TOWERS:
            return plugins.build("backbones", plugins.Spec(name, options))
        pytest.importorskip("transformers")
        if name == "siglip" and importlib.util.find_spec("sentencepiece") is None:
            pytest.skip("SigLIP's first tokenizer needs sentencepiece")
        family = "clip" if name == "clip" else "siglip"
        return plugins.build(
            "backbones",
            plugins.Spec(
                family,
                {"model": str(checkpoint(name)), "device": "cpu", "dtype": "float32"} | options,
            ),
        )

    return build


def everything() -> list[str]:
    """Each file of the folder, the towers by the checkpoints that they load."""
    return [n for n in plugins.names("backbones") if n not in ("siglip", "clip")] + TOWERS


@pytest.mark.parametrize("name", everything())
def test_gives_one_unit_vector_a_frame_whatever_the_batch(make, name):
    backbone = make(name)
    frames = torch.cat([pictures(4), torch.zeros(1, 3, 40, 56, dtype=torch.uint8)])
    vectors = backbone.embed(frames)
    assert vectors.shape[0] == 5
    assert vectors.dtype == torch.float32
    torch.testing.assert_close(vectors.norm(dim=1), torch.ones(5))
    torch.testing.assert_close(backbone.embed(frames[2:3]), vectors[2:3])
    torch.testing.assert_close(backbone.embed(frames.flip(0)), vectors.flip(0))


@pytest.mark.parametrize("name", everything())
def test_takes_frames_of_any_shape_and_tells_them_apart(make, name):
    backbone = make(name)
    for height, width in [(200, 40), (9, 11), (1, 64)]:
        vectors = backbone.embed(pictures(2, height, width))
        assert vectors.isfinite().all()
        assert not torch.equal(vectors[0], vectors[1])


@pytest.mark.parametrize("name", everything())
def test_has_a_revision_and_words_only_where_it_says_so(make, name):
    backbone = make(name)
    assert backbone.revision
    assert backbone.batch >= 1
    if backbone.has_text:
        vectors = backbone.embed_text(["a cat", "two dogs", LONG])
        assert vectors.shape == (3, backbone.embed(pictures(1)).shape[1])
        torch.testing.assert_close(vectors.norm(dim=1), torch.ones(3))
    else:
        with pytest.raises(UsageError, match=r"siglip.*clip"):
            backbone.embed_text(["a cat"])


@pytest.mark.parametrize("name", plugins.names("backbones"))
def test_a_batch_of_no_frames_is_refused(name):
    with pytest.raises(SpecError, match="batch of at least 1"):
        plugins.build("backbones", f"{name}(batch=0)")


@pytest.mark.parametrize("name", ["siglip", "clip"])
def test_an_unknown_device_or_dtype_is_refused_before_any_weights_are_read(name):
    with pytest.raises(SpecError, match="expected a device"):
        plugins.build("backbones", f"{name}(device='tpu')")
    with pytest.raises(SpecError, match="expected a dtype"):
        plugins.build("backbones", f"{name}(dtype='int4')")


@pytest.mark.parametrize("name", ["siglip", "clip"])
def test_the_default_weights_are_pinned_to_a_commit(name):
    model = plugins.options(plugins.load("backbones", name))["model"]
    assert len(model.partition("@")[2]) == 40


@pytest.fixture
def own(checkpoint):
    """The checkpoint's own model and processor, as its authors would call them."""

    def build(name: str):
        from transformers import AutoModel, AutoProcessor

        folder = checkpoint(name)
        processor = AutoProcessor.from_pretrained(folder, backend="pil")
        return AutoModel.from_pretrained(folder).eval(), processor

    return build


@pytest.mark.parametrize("name", TOWERS)
def test_a_frames_vector_is_the_checkpoints_own(make, own, name):
    backbone = make(name)
    model, processor = own(name)
    frames = pictures(3, 90, 141)
    images = [Image.fromarray(frame.permute(1, 2, 0).numpy()) for frame in frames]
    inputs = processor(images=images, return_tensors="pt")
    with torch.no_grad():
        expected = model.get_image_features(**inputs).pooler_output
    torch.testing.assert_close(backbone.embed(frames), normalize(expected, dim=-1))
    assert backbone.side is None


@pytest.mark.parametrize("name", TOWERS)
@pytest.mark.parametrize("text", ["a cat", "red shirt", "é 漢字 😀", "'part' 2?"])
def test_a_short_texts_vector_is_the_checkpoints_own(make, own, name, text):
    backbone = make(name)
    model, processor = own(name)
    inputs = processor(
        text=[text], padding="max_length", max_length=16, truncation=True, return_tensors="pt"
    )
    assert inputs["input_ids"].shape == (1, 16)
    with torch.no_grad():
        expected = model.get_text_features(**inputs).pooler_output
    assert len(backbone.tokens(text)) <= 16
    torch.testing.assert_close(backbone.embed_text([text]), normalize(expected, dim=-1))


@pytest.mark.parametrize("name", TOWERS)
def test_capitals_do_not_matter(make, name):
    backbone = make(name)
    upper, lower = backbone.embed_text(["Where IS the Cat?", "where is the cat?"])
    assert torch.equal(upper, lower)


@pytest.mark.parametrize("name", TOWERS)
def test_a_long_text_is_the_mean_of_its_pieces_and_never_cut(make, name):
    backbone = make(name)
    parts = pieces(LONG, lambda part: len(backbone.tokens(part)) <= 16)
    assert len(parts) > 1
    expected = normalize(backbone.embed_text(parts).mean(dim=0), dim=0)
    whole, other_end = backbone.embed_text([LONG, LONG.strip() + " boat"])
    torch.testing.assert_close(whole, expected)
    assert not torch.allclose(whole, other_end)


@pytest.mark.parametrize("name", TOWERS)
@pytest.mark.parametrize("token", ["<eos>", "</s>", "<|endoftext|>", "<pad>"])
def test_a_special_token_spelled_out_is_only_letters(make, name, token):
    backbone = make(name)
    ids = backbone.tokens(f"cat {token} dog")
    assert ids.count(backbone.tokens("cat")[-1]) == 1
    cat, dog = backbone.embed_text([f"{token} cat", f"{token} dog"])
    assert not torch.allclose(cat, dog)


@pytest.mark.parametrize("name", ["siglip2", "clip"])
def test_half_precision_is_close_and_has_a_revision_of_its_own(make, name):
    full, half = make(name), make(name, dtype="bfloat16")
    assert full.revision.endswith("-float32")
    assert half.revision == full.revision.replace("float32", "bfloat16")
    frames = pictures(4)
    assert (full.embed(frames) * half.embed(frames)).sum(dim=1).min() > 0.99
    texts = ["a cat", LONG]
    assert (full.embed_text(texts) * half.embed_text(texts)).sum(dim=1).min() > 0.99


@pytest.mark.parametrize(("family", "name"), [("siglip", "clip"), ("clip", "siglip2")])
def test_a_checkpoint_of_another_family_is_refused(checkpoint, family, name):
    pytest.importorskip("transformers")
    backbone = plugins.build(
        "backbones", plugins.Spec(family, {"model": str(checkpoint(name)), "device": "cpu"})
    )
    with pytest.raises(UsageError, match=f"expected a checkpoint of the family {family}"):
        backbone.embed(pictures(1))


@given(st.text(st.sampled_from("ab漢 \n"), max_size=80), st.integers(1, 12))
def test_pieces_fit_and_lose_nothing_but_space(text, most):
    parts = pieces(text, lambda part: len(part) <= most)
    assert all(len(part) <= most for part in parts)
    assert "".join("".join(parts).split()) == "".join(text.split())


def test_pieces_end_between_words():
    text = "one two three four five six seven eight nine"
    parts = pieces(text, lambda part: len(part) <= 12)
    assert " ".join(parts) == text
    assert pieces("short", lambda _: True) == ["short"]
