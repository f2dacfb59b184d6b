"""The world's sentences -> a tokenizer of Qwen's class in which a word is a token.

One tokenizer serves the language model and the reader: byte-level BPE that spells anything, trained
on what the world can ask and think, with Qwen's marks for turns and pictures.
"""

import json
from collections.abc import Iterator
from typing import Any

import numpy as np

from hfs import prompting
from hfs.answers import INSTRUCTION
from hfs.ladder import naming
from hfs.ladder.naming import described
from hfs.training.prompt import FREELY
from hfs.world import World
from hfs.world.captions import caption, facts

MARKS = ("<|im_start|>", "<|im_end|>", "<image>")
"""Of turns, as in Qwen's tokenizer, and of pictures; SmolVLM's tokens around them are left out."""
TEMPLATE = """\
{%- for message in messages -%}
{{ '<|im_start|>' + message.role + '\\n' }}
{%- if message.content is string -%}{{ message.content }}
{%- else -%}
{{ message.content[-1].text }}
{%- for part in message.content if part.type == 'image' -%}
{{ '\\n' if loop.first }}{{ '<image>' }}
{%- endfor -%}
{%- endif -%}{{ '<|im_end|>\\n' }}
{%- endfor -%}
{%- if add_generation_prompt -%}{{ '<|im_start|>assistant\\n' }}{%- endif -%}"""
"""ChatML, as Qwen's models are asked, but the question comes first, so that a frame is read in its
light, by a model too small to keep all of a frame until it is asked; and no times before frames,
since nothing in the world asks for one."""

OFTEN = 30
"""How often the corpus says what is said around every question, so that it takes few tokens."""


def corpus(world: World, films: int) -> Iterator[str]:
    """Training films' questions as a model is asked them, thoughts, answers, captions."""
    for _ in range(OFTEN):
        yield f"user\nassistant\n {INSTRUCTION}\n{FREELY}\n{naming.ASKED}"
        yield from (f" {letter}" for letter in "ABCDE")
    rng = np.random.default_rng(0)
    for film in world.films("train", films):
        for item in film.items:
            yield prompting.message(item.question, item.options, "")
            yield item.thought
            lettered = zip("ABCDE", item.options, strict=False)
            yield "\n".join(f"{letter}. {option}" for letter, option in lettered)
        yield from (line.text for line in film.subtitles)
        for i in range(0, film.layout.frames, 4):
            found = facts(film.layout, i)
            yield caption(found, rng).text
            yield described(found)


def tokenizer(texts: Iterator[str], *, size: int = 768) -> Any:
    """Qwen's tokenizer class with at most ``size`` tokens and the marks, trained on the texts."""
    import transformers
    from tokenizers.pre_tokenizers import ByteLevel
    from tokenizers.trainers import BpeTrainer

    backend = transformers.Qwen2Tokenizer().backend_tokenizer
    trainer = BpeTrainer(
        vocab_size=size, initial_alphabet=sorted(ByteLevel.alphabet()), show_progress=False
    )
    backend.train_from_iterator(texts, trainer)
    model = json.loads(backend.to_str())["model"]
    vocab = {token: i for i, token in enumerate(sorted(model["vocab"], key=model["vocab"].get))}
    vocab["<|endoftext|>"] = len(vocab)
    return transformers.Qwen2Tokenizer(
        vocab,
        [tuple(pair) for pair in model["merges"]],  # pyright: ignore[reportArgumentType]
        eos_token="<|im_end|>",
        pad_token="<|endoftext|>",
        additional_special_tokens=list(MARKS),
        chat_template=TEMPLATE,
        model_max_length=4096,
    )
