"""A folder -> a tiny checkpoint with random weights, laid out as the published one of its family.

The towers have two layers of width 32 and see 32 x 32 pixels; the tokenizers are trained on a few
sentences.
"""

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

SENTENCES = [
    "what does the man in the red shirt put on the table after he opens the door",
    "where is the cat sleeping, and how many dogs are there in the garden?",
    "a photo of a microwave oven in a kitchen; the slide says 'Results, part 2'.",
    "Which of these is shown first: the boat, the baby or the skateboard?",
]
TOWER = {
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
}
SPECIAL = ("bos", "eos", "pad")
PICTURE = {"image_size": 32, "patch_size": 8}


def siglip(folder: Path) -> Path:
    """As google/siglip-base-patch16-224: sentencepiece, and </s> to end and to pad."""
    import transformers

    tokenizer = transformers.SiglipTokenizer(
        _sentencepiece(folder / "made.model"), model_input_names=["input_ids"]
    )
    config = transformers.SiglipConfig(
        text_config=_text_config(tokenizer), vision_config={**TOWER, **PICTURE}
    )
    return _save(folder, transformers.SiglipModel, config, tokenizer, _siglip_pictures())


def siglip2(folder: Path) -> Path:
    """As google/siglip2-base-patch16-224: SigLIP's architecture behind a Gemma tokenizer."""
    import transformers

    tokenizer = _gemma()
    config = transformers.SiglipConfig(
        text_config=_text_config(tokenizer), vision_config={**TOWER, **PICTURE}
    )
    return _save(folder, transformers.SiglipModel, config, tokenizer, _siglip_pictures())


def siglip2_naflex(folder: Path) -> Path:
    """As google/siglip2-base-patch16-naflex: patches of the picture in its own aspect ratio."""
    import transformers

    tokenizer = _gemma()
    config = transformers.Siglip2Config(
        text_config=_text_config(tokenizer),
        vision_config={**TOWER, "patch_size": 16, "num_patches": 256},
    )
    pictures = transformers.Siglip2ImageProcessorPil(patch_size=16, max_num_patches=256)
    return _save(folder, transformers.Siglip2Model, config, tokenizer, pictures)


def clip(folder: Path) -> Path:
    """As openai/clip-vit-large-patch14: byte-level BPE, begin and end tokens, a centre crop."""
    import transformers

    tokenizer = _clip_tokenizer()
    config = transformers.CLIPConfig(
        # as published: with end token 2, the end is taken at the largest id
        text_config={**_text_config(tokenizer), "eos_token_id": 2},
        vision_config={**TOWER, **PICTURE},
        projection_dim=24,
    )
    pictures = transformers.CLIPImageProcessorPil(
        size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32}
    )
    return _save(folder, transformers.CLIPModel, config, tokenizer, pictures)


def _save(
    folder: Path, model: Callable[[Any], Any], config: Any, tokenizer: Any, pictures: Any
) -> Path:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    pictures.save_pretrained(folder)
    return folder


def _text_config(tokenizer: Any) -> dict[str, Any]:
    special = {f"{name}_token_id": getattr(tokenizer, f"{name}_token_id") for name in SPECIAL}
    return {**TOWER, **special, "vocab_size": len(tokenizer), "max_position_embeddings": 16}


def _siglip_pictures() -> Any:
    import transformers

    return transformers.SiglipImageProcessorPil(size={"height": 32, "width": 32})


def _sentencepiece(path: Path) -> str:
    import sentencepiece

    made = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(SENTENCES),
        model_writer=made,
        vocab_size=64,
        pad_id=0,
        eos_id=1,
        unk_id=2,
        bos_id=-1,
        add_dummy_prefix=False,
        minloglevel=2,
    )
    path.write_bytes(made.getvalue())
    return str(path)


def _gemma() -> Any:
    import transformers

    own = ["<pad>", "<eos>", "<bos>", "<unk>", "<mask>"]
    first = own + [f"<0x{byte:02X}>" for byte in range(256)]
    untrained = transformers.GemmaTokenizer()
    vocab, merges = _trained(untrained, first, merges=60)
    return transformers.GemmaTokenizer(
        vocab,
        merges,
        add_bos_token=False,
        add_eos_token=True,
        padding_side="right",
        model_input_names=["input_ids"],
    )


def _clip_tokenizer() -> Any:
    import transformers
    from tokenizers.pre_tokenizers import ByteLevel

    vocab, merges = _trained(
        transformers.CLIPTokenizer(),
        [],
        merges=200,
        end_of_word_suffix="</w>",
        initial_alphabet=ByteLevel.alphabet(),
    )
    for letter in ByteLevel.alphabet():  # any text has its bytes, at a word's end too
        vocab.setdefault(f"{letter}</w>", len(vocab))
    for token in ("<|startoftext|>", "<|endoftext|>"):  # the largest ids, as published
        vocab[token] = len(vocab)
    return transformers.CLIPTokenizer(vocab, merges, model_max_length=16)


def _trained(
    tokenizer: Any, first: list[str], *, merges: int, **options: Any
) -> tuple[dict[str, int], list[Any]]:
    """The vocabulary and merges of a BPE trained on the sentences, with these tokens first."""
    from tokenizers.trainers import BpeTrainer

    backend = tokenizer.backend_tokenizer
    size = (len(first) or 256) + 40 + merges  # special tokens or bytes, letters, merges
    trainer = BpeTrainer(vocab_size=size, special_tokens=first, show_progress=False, **options)
    backend.train_from_iterator(SENTENCES, trainer)
    model = json.loads(backend.to_str())["model"]
    return model["vocab"], [tuple(pair) for pair in model["merges"]]
