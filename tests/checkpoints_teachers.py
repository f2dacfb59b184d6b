"""A folder -> a tiny multimodal LLM with random weights, laid out as its published family is.

Language models have two layers of width 32; vision towers see patches of 8 x 8 pixels and give one
token for 16 x 16 pixels. The tokenizers are trained on a few sentences and spell any text in bytes.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from checkpoints import SENTENCES

SPOKEN = [
    *SENTENCES,
    "Answer with the option's letter from the given choices directly.",
    "A. red B. blue C. green D. yellow <0.5 seconds> <12.3 seconds> user assistant system",
    *[" A B C D E F G H I J K L M N O P Q R S T U V W X Y Z"] * 40,  # a token each, as published
]
WIDTHS = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2}
HEADS = {"num_attention_heads": 4, "num_key_value_heads": 2}
TOWER = {"hidden_size": 32, "intermediate_size": 48, "depth": 2, "num_heads": 2, "patch_size": 8}
SIGLIP = {
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "image_size": 32,
    "patch_size": 8,
}
QWEN_TOKENS = ("<|im_start|>", "<|im_end|>", "<|vision_start|>", "<|vision_end|>")
QWEN_PADS = ("<|image_pad|>", "<|video_pad|>")
SMOL_TOKENS = ("<|im_start|>", "<end_of_utterance>", "<fake_token_around_image>", "<global-img>")

CHATML = """\
{%- for message in messages -%}
{{ '<|im_start|>' + message.role + '\\n' }}
{%- if message.content is string -%}{{ message.content }}
{%- else -%}
{%- for part in message.content -%}
{%- if part.type == 'image' -%}{{ '<|vision_start|><|image_pad|><|vision_end|>' }}
{%- else -%}{{ part.text }}{%- endif -%}
{%- endfor -%}
{%- endif -%}{{ '<|im_end|>\\n' }}
{%- endfor -%}
{%- if add_generation_prompt -%}{{ '<|im_start|>assistant\\n' }}{%- endif -%}"""

CHATML_SYSTEM = (
    "{%- if messages[0].role != 'system' -%}"
    "{{ '<|im_start|>system\\nYou are a helpful assistant.<|im_end|>\\n' }}{%- endif -%}" + CHATML
)
"""Qwen2.5-VL opens with a system turn of its own."""

SMOL = """\
{{ '<|im_start|>' }}{%- for message in messages -%}
{{ message.role | capitalize }}
{%- if message.content[0].type == 'image' -%}{{ ':' }}{%- else -%}{{ ': ' }}{%- endif -%}
{%- for part in message.content -%}
{%- if part.type == 'image' -%}{{ '<image>' }}{%- else -%}{{ part.text }}{%- endif -%}
{%- endfor -%}{{ '<end_of_utterance>\\n' }}
{%- endfor -%}
{%- if add_generation_prompt -%}{{ 'Assistant:' }}{%- endif -%}"""


LLAVA = """\
{%- for message in messages -%}
{{ '<|im_start|>' + message.role + ' ' }}
{%- for part in message.content if part.type == 'image' -%}{{ '<image>' }}{%- endfor -%}
{{ '\\n' }}
{%- for part in message.content if part.type == 'text' -%}{{ part.text }}{%- endfor -%}
{{ '<|im_end|>' }}
{%- endfor -%}
{%- if add_generation_prompt -%}{{ '<|im_start|>assistant\\n' }}{%- endif -%}"""
"""All images come first, and an answer's turn opens otherwise than the prompt for one."""


def qwen3_vl(folder: Path, *, layers: int = 2) -> Path:
    """As Qwen/Qwen3-VL-8B-Instruct: interleaved mRoPE, and deepstack features of two layers."""
    import transformers

    tokenizer = _qwen_tokenizer(CHATML)
    config = transformers.Qwen3VLConfig(
        text_config=_qwen_text(tokenizer)
        | {"head_dim": 16, "num_hidden_layers": layers}
        | _mrope(mrope_interleaved=True),
        vision_config=TOWER
        | {
            "out_hidden_size": 32,
            "num_position_embeddings": 16,
            "deepstack_visual_indexes": [0, 1],
        },
        **_qwen_ids(tokenizer),
    )
    return _save(
        folder, transformers.Qwen3VLForConditionalGeneration, config, tokenizer, _qwen_pictures()
    )


def qwen2_5_vl(folder: Path) -> Path:
    """As Qwen/Qwen2.5-VL-7B-Instruct: mRoPE in blocks, windows in the tower, a system turn."""
    import transformers

    tokenizer = _qwen_tokenizer(CHATML_SYSTEM)
    config = transformers.Qwen2_5_VLConfig(
        text_config=_qwen_text(tokenizer) | {"hidden_size": 64} | _mrope(),
        vision_config=TOWER
        | {"out_hidden_size": 64, "window_size": 32, "fullatt_block_indexes": [1]},
        **_qwen_ids(tokenizer),
    )
    return _save(
        folder, transformers.Qwen2_5_VLForConditionalGeneration, config, tokenizer, _qwen_pictures()
    )


def smolvlm(folder: Path) -> Path:
    """As HuggingFaceTB/SmolVLM2-500M-Video-Instruct: SigLIP tower, Llama, 4 tokens a picture."""
    import transformers

    tokenizer = _bytes_bpe((*SMOL_TOKENS, "<image>"), eos="<end_of_utterance>", template=SMOL)
    text = WIDTHS | HEADS | _ends(tokenizer)
    config = transformers.SmolVLMConfig(
        text_config={"model_type": "llama", **text},
        vision_config=SIGLIP,
        image_token_id=tokenizer.convert_tokens_to_ids("<image>"),
        pad_token_id=tokenizer.pad_token_id,
        scale_factor=2,
    )
    pictures = transformers.SmolVLMImageProcessorPil(
        size={"longest_edge": 64}, max_image_size={"longest_edge": 32}
    )
    kind = transformers.SmolVLMForConditionalGeneration
    return _save(folder, kind, config, tokenizer, pictures)


def llava_onevision(folder: Path) -> Path:
    """As llava-hf/llava-onevision-qwen2-0.5b-ov-hf: 16 tokens a picture and one that ends it."""
    import transformers

    special = ("<|im_start|>", "<|im_end|>", "<image>", "<video>")
    tokenizer = _bytes_bpe(special, eos="<|im_end|>", template=LLAVA)
    config = transformers.LlavaOnevisionConfig(
        text_config={"model_type": "qwen2", **WIDTHS, **HEADS, **_ends(tokenizer)},
        vision_config={"model_type": "siglip_vision_model", **SIGLIP, "vision_use_head": False},
        image_token_index=tokenizer.convert_tokens_to_ids("<image>"),
        video_token_index=tokenizer.convert_tokens_to_ids("<video>"),
        image_grid_pinpoints=[[32, 32], [32, 64], [64, 32]],
    )
    pictures = transformers.LlavaOnevisionImageProcessorPil(
        size={"height": 32, "width": 32}, image_grid_pinpoints=config.image_grid_pinpoints
    )
    kind = transformers.LlavaOnevisionForConditionalGeneration
    return _save(folder, kind, config, tokenizer, pictures)


def _qwen_tokenizer(template: str) -> Any:
    return _bytes_bpe((*QWEN_TOKENS, *QWEN_PADS), eos="<|im_end|>", template=template)


def _bytes_bpe(special: tuple[str, ...], *, eos: str, template: str) -> Any:
    """A byte-level BPE as Qwen's, trained on the sentences, with these special tokens last."""
    import transformers
    from tokenizers.pre_tokenizers import ByteLevel
    from tokenizers.trainers import BpeTrainer

    backend = transformers.Qwen2Tokenizer().backend_tokenizer
    alphabet = sorted(ByteLevel.alphabet())
    trainer = BpeTrainer(vocab_size=420, initial_alphabet=alphabet, show_progress=False)
    backend.train_from_iterator(SPOKEN, trainer)
    model = json.loads(backend.to_str())["model"]
    vocab = {token: i for i, token in enumerate(sorted(model["vocab"], key=model["vocab"].get))}
    vocab["<|endoftext|>"] = len(vocab)
    return transformers.Qwen2Tokenizer(
        vocab,
        [tuple(pair) for pair in model["merges"]],
        eos_token=eos,
        pad_token="<|endoftext|>",
        additional_special_tokens=list(special),
        chat_template=template,
        model_max_length=4096,
    )


def _ends(tokenizer: Any) -> dict[str, Any]:
    return {
        "vocab_size": len(tokenizer),
        "pad_token_id": tokenizer.pad_token_id,
        "eos_token_id": tokenizer.eos_token_id,
        "bos_token_id": None,
        "max_position_embeddings": 4096,
    }


def _qwen_pictures() -> Any:
    """From 1 to 16 tokens a picture, by its size."""
    import transformers

    return transformers.Qwen2VLImageProcessorPil(
        patch_size=8, size={"shortest_edge": 256, "longest_edge": 256 * 16}
    )


def _qwen_text(tokenizer: Any) -> dict[str, Any]:
    return WIDTHS | HEADS | _ends(tokenizer)


def _mrope(**options: Any) -> dict[str, Any]:
    rope = {"rope_type": "default", "rope_theta": 10000.0, "mrope_section": [4, 2, 2], **options}
    return {"rope_parameters": rope}


def _qwen_ids(tokenizer: Any) -> dict[str, int]:
    names = {
        "image_token_id": "<|image_pad|>",
        "video_token_id": "<|video_pad|>",
        "vision_start_token_id": "<|vision_start|>",
        "vision_end_token_id": "<|vision_end|>",
    }
    return {key: tokenizer.convert_tokens_to_ids(token) for key, token in names.items()}


def _save(
    folder: Path, model: Callable[[Any], Any], config: Any, tokenizer: Any, pictures: Any
) -> Path:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        made = model(config)
        for name, weight in made.named_parameters():
            if weight.dim() > 1 and "embed" not in name:
                torch.nn.init.normal_(weight, std=weight.shape[-1] ** -0.5)  # far from uniform
        made.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    pictures.save_pretrained(folder)
    return folder
