"""A folder -> a tiny causal language model with random weights, or a student built around one.

Two layers of width 32, a byte-level tokenizer with a chat template of Qwen3's form.
"""

from collections.abc import Sequence
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


def taught(folder: Path, lessons: Sequence[tuple[str, Sequence[str], str]]) -> Path:
    """The tiny Qwen3 taught what to write for each (question, options), to the letter."""
    from hfs import hub, prompting

    qwen3(folder)
    model = hub.load_model(
        folder, "AutoModelForCausalLM", device=torch.device("cpu"), dtype=torch.float32
    )
    tokenizer = hub.load_tokenizer(folder)
    rows = []
    for question, options, text in lessons:
        asked = prompting.prompt(tokenizer, question, options)
        said = [*prompting.plain(tokenizer, text), tokenizer.eos_token_id]
        rows.append((torch.tensor([asked + said]), len(asked)))
    model.requires_grad_(True)
    learn = torch.optim.AdamW(model.parameters(), lr=1e-2)
    for _ in range(400):
        total = torch.zeros(())
        for ids, start in rows:
            logits = model(ids).logits[0, start - 1 : -1]
            total = total + torch.nn.functional.cross_entropy(logits, ids[0, start:])
        learn.zero_grad()
        total.backward()
        learn.step()
        if float(total.detach()) < 0.02 * len(rows):
            break
    model.save_pretrained(folder)
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


NARROW = {"feature_width": 12, "query_width": 16, "width": 16, "layers": 1, "heads": 2}


def student(folder: Path, base: Path | None = None, **changes: Any) -> Path:
    """An untrained student around a base or the tiny Qwen3, for features of width 12."""
    from hfs.student import HFSStudent

    slm = str(base or qwen3(folder / "base"))
    HFSStudent.create(slm, **{**NARROW, **changes}).save_pretrained(folder / "student")
    return folder / "student"
