"""A folder -> a tiny causal language model with random weights, or a student built around one.

Two layers of width 32, a byte-level tokenizer with a chat template of Qwen3's form.
"""

from pathlib import Path
from typing import Any

import torch
from checkpoints import SENTENCES

TEMPLATE = (
    "{%- for message in messages %}"
    "{{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>\\n' }}"
    "{%- endfor %}"
    "{%- if add_generation_prompt %}{{- '<|im_start|>assistant\\n' }}"
    "{%- if enable_thinking is defined and enable_thinking is false %}"
    "{{- '<think>\\n\\n</think>\\n\\n' }}{%- endif %}{%- endif %}"
)
MARKS = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
WORDS = ["when the man opens the door\nread the number above it\n", "Question: Options: - what"]


def qwen3(folder: Path) -> Path:
    """As Qwen/Qwen3-0.6B."""
    import transformers

    tokenizer = chat_tokenizer()
    config = transformers.Qwen3Config(
        vocab_size=len(tokenizer),
        hidden_size=32,
        intermediate_size=48,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=1,
        head_dim=16,
        max_position_embeddings=4096,
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model: Any = transformers.Qwen3ForCausalLM(config)
    model.generation_config.update(do_sample=True, temperature=0.6, top_p=0.95, top_k=20)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def chat_tokenizer() -> Any:
    """Bytes and a few merges; the marks of a chat, two of them not flagged as special."""
    import transformers
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers

    backend = Tokenizer(models.BPE())
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)  # pyright: ignore
    backend.decoder = decoders.ByteLevel()  # pyright: ignore
    trainer = trainers.BpeTrainer(
        vocab_size=360,
        special_tokens=list(MARKS),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    backend.train_from_iterator(SENTENCES + WORDS, trainer)
    backend.add_tokens(
        [AddedToken("<think>", special=False), AddedToken("</think>", special=False)]
    )
    tokenizer = transformers.PreTrainedTokenizerFast(
        tokenizer_object=backend, eos_token=MARKS[2], pad_token=MARKS[0]
    )
    tokenizer.chat_template = TEMPLATE
    return tokenizer


def student(folder: Path, **changes: Any) -> Path:
    """A student of all weights around the tiny Qwen3, for features of width 12."""
    from hfs.student import HFSStudent

    base = qwen3(folder / "base")
    settings = {"feature_width": 12, "query_width": 16, "width": 16, "layers": 1, "heads": 2}
    HFSStudent.create(str(base), **{**settings, **changes}).save_pretrained(folder / "student")
    return folder / "student"
