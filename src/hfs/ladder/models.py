"""Sizes -> untrained small models of real classes: towers, language model, reader.

The reader is a SmolVLM: its vision tower is SigLIP's architecture, so the towers that were trained
on captions see for it too (`share_sight`), as in the published models.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor


@dataclass(frozen=True)
class Sizes:
    """Of everything that is trained; the defaults fit two CPU cores."""

    picture: int = 64
    """Height and width of a frame, pixels."""
    patch: int = 16
    sight: int = 96
    """Width of both towers."""
    sight_layers: int = 4
    words: int = 96
    """Width of the language model that thinks."""
    words_layers: int = 3
    squeeze: int = 4
    """So many patches each way are one token of the reader's."""
    reader: int = 96
    reader_layers: int = 4
    caption: int = 20
    """Most tokens of a caption."""
    context: int = 512
    """Most tokens of a question with its thought."""


def towers(sizes: Sizes, tokenizer: Any) -> Any:
    """A SigLIP of untrained weights."""
    import transformers

    width = {"hidden_size": sizes.sight, "intermediate_size": 2 * sizes.sight}
    ids = {
        "pad_token_id": tokenizer.pad_token_id,
        "eos_token_id": tokenizer.eos_token_id,
        "bos_token_id": tokenizer.eos_token_id,
    }
    config = transformers.SiglipConfig(
        text_config={
            **width,
            **ids,
            "vocab_size": len(tokenizer),
            "num_hidden_layers": 2,
            "num_attention_heads": 4,
            "max_position_embeddings": sizes.caption,
            "projection_size": sizes.sight,
        },
        vision_config={
            **width,
            "num_hidden_layers": sizes.sight_layers,
            "num_attention_heads": 4,
            "image_size": sizes.picture,
            "patch_size": sizes.patch,
        },
    )
    model = _plain(transformers.SiglipModel(config))
    with torch.no_grad():  # from SigLIP's own start, -10, the many true pairs here take long
        model.logit_scale.fill_(2.0)
        model.logit_bias.fill_(-4.0)
    return model


def language_model(sizes: Sizes, tokenizer: Any) -> Any:
    """A Qwen3 of untrained weights."""
    import transformers

    config = transformers.Qwen3Config(
        vocab_size=len(tokenizer),
        hidden_size=sizes.words,
        intermediate_size=3 * sizes.words,
        num_hidden_layers=sizes.words_layers,
        num_attention_heads=4,
        num_key_value_heads=4,
        head_dim=sizes.words // 4,
        max_position_embeddings=sizes.context,
        tie_word_embeddings=True,
        pad_token_id=tokenizer.pad_token_id,
        eos_token_id=tokenizer.eos_token_id,
        bos_token_id=None,
    )
    return _plain(transformers.Qwen3ForCausalLM(config))


def reader(sizes: Sizes, tokenizer: Any) -> Any:
    """A SmolVLM of untrained weights: SigLIP's tower, one token a frame, a small Qwen3.

    Its attention normalises queries and keys. A Llama's does not, and did not learn "directly
    after" in 1,200 steps of a small task that this one learns in 800; nor did it from weights of
    .02 (docs/log.md).
    """
    import transformers

    config = transformers.SmolVLMConfig(
        text_config={
            "model_type": "qwen3",
            "vocab_size": len(tokenizer),
            "hidden_size": sizes.reader,
            "intermediate_size": 3 * sizes.reader,
            "num_hidden_layers": sizes.reader_layers,
            "num_attention_heads": 4,
            "num_key_value_heads": 4,
            "head_dim": sizes.reader // 4,
            "initializer_range": 0.05,
            "max_position_embeddings": 8192,
            "pad_token_id": tokenizer.pad_token_id,
            "eos_token_id": tokenizer.eos_token_id,
            "bos_token_id": None,
            "tie_word_embeddings": True,
        },
        vision_config={
            "hidden_size": sizes.sight,
            "intermediate_size": 2 * sizes.sight,
            "num_hidden_layers": sizes.sight_layers,
            "num_attention_heads": 4,
            "image_size": sizes.picture,
            "patch_size": sizes.patch,
        },
        image_token_id=tokenizer.convert_tokens_to_ids("<image>"),
        pad_token_id=tokenizer.pad_token_id,  # pyright: ignore[reportCallIssue]
        scale_factor=sizes.squeeze,
        tie_word_embeddings=True,
    )
    return _plain(transformers.SmolVLMForConditionalGeneration(config))


def _plain(model: Any) -> Any:
    """With attention of plain operations: at these lengths a CPU is no faster with a fused one, and
    in bfloat16 its derivative took half of a step."""
    model.set_attn_implementation("eager")
    return model


def pictures(sizes: Sizes) -> tuple[Any, Any]:
    """The image processors of the towers and of the reader: the same pixels for both."""
    import transformers

    side = {"height": sizes.picture, "width": sizes.picture}
    edge = {"longest_edge": sizes.picture}
    return (
        transformers.SiglipImageProcessorPil(size=side),
        transformers.SmolVLMImageProcessorPil(
            size=edge, max_image_size=edge, do_image_splitting=False
        ),
    )


def sight(reader: Any) -> Tensor:
    """What tells whether a reader's tower has learned: a copy of its first layer."""
    return reader.model.vision_model.embeddings.patch_embedding.weight.detach().cpu().clone()


def share_sight(towers: Any, reader: Any) -> None:
    """Give the reader the trained image tower's weights, all but its pooling head."""
    given = towers.vision_model.state_dict()
    own = reader.model.vision_model
    own.load_state_dict({name: given[name] for name in own.state_dict()})


def seen_by(reader: Any) -> str:
    """Names what a reader sees by: tower and connector."""
    parts = (reader.model.vision_model, reader.model.connector)
    return f"world-{weight(p for part in parts for p in part.parameters())}"


def weight(parameters: Iterable[Tensor]) -> str:
    """A number that tells learned parameters from others."""
    return f"{sum(p.detach().double().abs().sum().item() for p in parameters):.9g}"
