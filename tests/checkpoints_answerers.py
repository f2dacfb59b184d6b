"""A folder -> a tiny multimodal LLM with random weights and the processor that its family has."""

import json
from pathlib import Path
from typing import Any

import checkpoints_teachers as teachers

LLAVA = teachers.CHATML.replace("<|vision_start|><|image_pad|><|vision_end|>", "<image>")
INTERN = teachers.CHATML.replace("<|vision_start|><|image_pad|><|vision_end|>", "<IMG_CONTEXT>\\n")
QWEN_VIDEO = teachers.CHATML.replace(
    "{%- else -%}{{ part.text }}",
    "{%- elif part.type == 'video' -%}{{ '<|vision_start|><|video_pad|><|vision_end|>' }}"
    "{%- else -%}{{ part.text }}",
)
PICTURE = {"image_size": 32, "patch_size": 8}
TOWER = {
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
}


def qwen3_vl(folder: Path) -> Path:
    """As the teacher's, with the place of a video in its template."""
    return _template(teachers.qwen3_vl(folder), QWEN_VIDEO)


qwen2_5_vl = teachers.qwen2_5_vl


def smolvlm(folder: Path) -> Path:
    """As the teacher's, with the processor's own settings: 4 tokens a picture."""
    return _processor(teachers.smolvlm(folder), "SmolVLMProcessor", image_seq_len=4)


def idefics3(folder: Path) -> Path:
    """As HuggingFaceTB/SmolVLM-Instruct: SmolVLM's class before it knew videos."""
    import transformers

    tokenizer = teachers._bytes_bpe(
        (*teachers.SMOL_TOKENS, "<image>"), eos="<end_of_utterance>", template=teachers.SMOL
    )
    config = transformers.Idefics3Config(
        text_config={"model_type": "llama", **teachers._qwen_text(tokenizer)},
        vision_config={**TOWER, **PICTURE},
        image_token_id=tokenizer.convert_tokens_to_ids("<image>"),
        pad_token_id=tokenizer.pad_token_id,
        scale_factor=2,
    )
    pictures = transformers.Idefics3ImageProcessorPil(
        size={"longest_edge": 64}, max_image_size={"longest_edge": 32}
    )
    kind = transformers.Idefics3ForConditionalGeneration
    teachers._save(folder, kind, config, tokenizer, pictures)
    return _processor(folder, "Idefics3Processor", image_seq_len=4)


def llava_onevision(folder: Path) -> Path:
    """As llava-hf/llava-onevision-qwen2-7b-ov-hf: SigLIP tower, Qwen2, 16 tokens and a newline."""
    import transformers

    tokenizer = teachers._bytes_bpe(
        (*teachers.QWEN_TOKENS[:2], "<image>", "<video>"), eos="<|im_end|>", template=LLAVA
    )
    config = transformers.LlavaOnevisionConfig(
        vision_config={"model_type": "siglip_vision_model", **TOWER, **PICTURE},
        text_config={"model_type": "qwen2", **teachers._qwen_text(tokenizer)},
        image_token_id=tokenizer.convert_tokens_to_ids("<image>"),
        video_token_id=tokenizer.convert_tokens_to_ids("<video>"),
        image_grid_pinpoints=[[32, 32], [32, 64], [64, 32], [64, 64]],
    )
    pictures = transformers.LlavaOnevisionImageProcessorPil(
        size={"height": 32, "width": 32}, image_grid_pinpoints=config.image_grid_pinpoints
    )
    kind = transformers.LlavaOnevisionForConditionalGeneration
    teachers._save(folder, kind, config, tokenizer, pictures)
    return _processor(
        folder,
        "LlavaOnevisionProcessor",
        num_image_tokens=16,
        vision_feature_select_strategy="full",
    )


def internvl(folder: Path) -> Path:
    """As OpenGVLab/InternVL3-8B-hf: InternViT, pixel shuffle, Qwen2, 4 tokens a picture."""
    import transformers

    named = {
        "start_image_token": "<img>",
        "end_image_token": "</img>",
        "context_image_token": "<IMG_CONTEXT>",
        "video_token": "<video>",
    }
    tokenizer = teachers._bytes_bpe(
        (*teachers.QWEN_TOKENS[:2], *named.values()), eos="<|im_end|>", template=INTERN
    )
    config = transformers.InternVLConfig(
        vision_config={**TOWER, "image_size": [32, 32], "patch_size": [8, 8]},
        text_config={"model_type": "qwen2", **teachers._qwen_text(tokenizer)},
        image_token_id=tokenizer.convert_tokens_to_ids("<IMG_CONTEXT>"),
        image_seq_length=4,
    )
    pictures = transformers.GotOcr2ImageProcessorPil(
        size={"height": 32, "width": 32}, crop_to_patches=True, min_patches=1, max_patches=4
    )
    kind = transformers.InternVLForConditionalGeneration
    teachers._save(folder, kind, config, tokenizer, pictures)
    settings = json.loads((folder / "tokenizer_config.json").read_text(encoding="utf-8"))
    settings["extra_special_tokens"] = named
    settings.pop("additional_special_tokens", None)
    (folder / "tokenizer_config.json").write_text(json.dumps(settings), encoding="utf-8")
    return _processor(folder, "InternVLProcessor", image_seq_length=4)


def _processor(folder: Path, name: str, **settings: Any) -> Path:
    record = {"processor_class": name, **settings}
    (folder / "processor_config.json").write_text(json.dumps(record), encoding="utf-8")
    return folder


def _template(folder: Path, template: str) -> Path:
    (folder / "chat_template.jinja").write_text(template, encoding="utf-8")
    return folder
