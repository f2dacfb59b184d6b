"""Times, question, options -> token ids, as the model's chat template and processor give them.

A frame is its time as text, ``<12.3 seconds>``, and the model's image tokens; then come the
question, the options by letter, and how to answer. The template is rendered once for each number of
frames, and every piece of text between images is tokenised once: no image processor runs here.
"""

import json
import re
import string
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from hfs.answers import INSTRUCTION
from hfs.errors import UsageError, WeightsError
from hfs.message import mark

VERSION = "times-frames-question-letters/1"
"""Of the wording below; what depends on the wording is keyed by it."""

FREELY = "Answer the question using a single word or phrase."

FRAMED = {
    "qwen2_vl": ("", ""),
    "qwen2_5_vl": ("", ""),
    "qwen3_vl": ("", ""),
    "qwen3_vl_moe": ("", ""),
    "llava_onevision": ("", ""),
    "smolvlm": ("<fake_token_around_image><global-img>", "<fake_token_around_image>"),
    "idefics3": ("<fake_token_around_image><global-img>", "<fake_token_around_image>"),
    "internvl": ("<img>", "</img>"),
}
"""By ``model_type``, what the family's processor writes before and after an image's tokens, as far
as the model's tokenizer has these marks.

Tested against the processors of qwen2_5_vl, qwen3_vl, llava_onevision and smolvlm; the others' code
says the same.
"""

MARK = re.compile("<[^>]+>")

HOLE = re.compile("\ue000(\\w+)\ue001")
"""Where a rendered template takes a text; private characters, which no template writes."""


@dataclass(frozen=True)
class Prompt:
    """One conversation up to where the answer begins."""

    ids: tuple[int, ...]
    starts: tuple[int, ...]
    """Position of each slot's first image token; a slot's tokens stand side by side."""


class Prompter:
    """Builds prompts for one model; keeps the pieces that it has tokenised."""

    def __init__(self, tokenizer: Any, family: str, image_token_id: int, *, template: str):
        if family not in FRAMED:
            raise UsageError(
                f"expected a teacher of the family {', '.join(FRAMED)}, got {family}: "
                "name a model of one of these, or add how its processor frames an image"
            )
        self.tokenizer = tokenizer
        self.template = template
        self.image_token_id = image_token_id
        self.image_token: str = tokenizer.convert_ids_to_tokens(image_token_id)
        known = tokenizer.get_vocab()
        opening, closing = (
            "".join(each for each in MARK.findall(part) if each in known) for part in FRAMED[family]
        )
        self._ids = lru_cache(maxsize=1 << 16)(self._tokenise)
        self.opening, self.closing = self._ids(opening), self._ids(closing)
        special = {*tokenizer.get_added_vocab(), *tokenizer.all_special_tokens}
        words = sorted((t for t in special if re.fullmatch(r"\S{2,}", t)), key=len, reverse=True)
        self._control = re.compile("|".join(re.escape(word) for word in words) or "(?!)")
        self._skeleton = lru_cache(maxsize=None)(self._render)
        self._asked = lru_cache(maxsize=1 << 16)(self._ask)
        before, after = self._answer_frame()
        self.before_answer = before
        self.end = self._ids(after)[:1] or (tokenizer.eos_token_id,)
        """What the model writes to end its turn."""

    def letters(self, count: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """The tokens that all letters share at their start, and then one token for each letter.

        Raises UsageError for more than 26 options, or letters that the tokenizer does not tell
        apart by one token.
        """
        if not 2 <= count <= 26:
            raise UsageError(f"expected 2 to 26 options, got {count}")
        spelt = [
            self._ids(self.before_answer + letter) for letter in string.ascii_uppercase[:count]
        ]
        shared, last = spelt[0][:-1], tuple(ids[-1] for ids in spelt)
        if any(ids[:-1] != shared for ids in spelt) or len(set(last)) < count:
            raise UsageError(
                "expected a tokenizer that spells the options' letters with one token each, "
                f"got {spelt[:3]}: ask without options"
            )
        return shared, last

    def answer(self, text: str) -> tuple[int, ...]:
        """A free answer's tokens and the end of the turn."""
        return self._ids(self.before_answer + self.plain(text)) + self.end

    def prompt(
        self, times: Sequence[float], tokens: int, question: str, options: Sequence[str]
    ) -> Prompt:
        """Frames at these times with so many tokens each, then the question."""
        values = {f"t{i}": mark(time) for i, time in enumerate(times)}
        values["question"] = self._asked(question, tuple(options))
        ids: list[int] = []
        starts = []
        for i, chunk in enumerate(self._skeleton(len(times))):
            if i:
                ids += self.opening
                starts.append(len(ids))
                ids += [self.image_token_id] * tokens
                ids += self.closing
            parts = [values[part] if odd % 2 else part for odd, part in enumerate(chunk)]
            ids += self._ids("".join(parts))
        return Prompt(tuple(ids), tuple(starts))

    def plain(self, text: str) -> str:
        """Somebody's text with no word that the tokenizer would take for a control token.

        A space after the first character breaks such a word, so that a question cannot bring
        images or turns of its own.
        """
        text = text.strip()
        while self._control.search(text):
            text = self._control.sub(lambda word: f"{word[0][0]} {word[0][1:]}", text)
        return text

    def _ask(self, question: str, options: tuple[str, ...]) -> str:
        lettered = zip(string.ascii_uppercase, options, strict=False)
        lines = [question.strip(), *(f"{letter}. {option.strip()}" for letter, option in lettered)]
        return self.plain("\n".join([*lines, INSTRUCTION if options else FREELY]))

    def _render(self, frames: int) -> tuple[tuple[str, ...], ...]:
        """The text around the images, one chunk more than images: text, hole, text, hole, ..."""
        content: list[dict[str, str]] = []
        for i in range(frames):
            content += [{"type": "text", "text": f"\ue000t{i}\ue001"}, {"type": "image"}]
        content.append({"type": "text", "text": "\ue000question\ue001"})
        chunks = self._templated([{"role": "user", "content": content}], ask=True).split(
            self.image_token
        )
        if len(chunks) != frames + 1:
            raise WeightsError(
                f"expected a chat template that writes {self.image_token} once an image, got "
                f"{len(chunks) - 1} for {frames} images: name a model with its own chat template"
            )
        return tuple(tuple(HOLE.split(chunk)) for chunk in chunks)

    def _answer_frame(self) -> tuple[str, str]:
        """What the template writes before and after an answer, as it does in a finished turn."""
        asked = {"role": "user", "content": [{"type": "text", "text": "?"}]}
        said = {"role": "assistant", "content": [{"type": "text", "text": "\ue000answer\ue001"}]}
        opened = self._templated([asked], ask=True)
        whole = self._templated([asked, said], ask=False)
        if not whole.startswith(opened):  # a model that thinks first, say: its turn differs
            return "", ""
        before, _, after = HOLE.split(whole[len(opened) :], maxsplit=1)
        return before, after

    def _templated(self, messages: list[dict[str, Any]], *, ask: bool) -> str:
        return self.tokenizer.apply_chat_template(
            messages, chat_template=self.template, tokenize=False, add_generation_prompt=ask
        )

    def _tokenise(self, text: str) -> tuple[int, ...]:
        return tuple(self.tokenizer(text, add_special_tokens=False)["input_ids"]) if text else ()


def chat_template(folder: Path, tokenizer: Any) -> str:
    """The chat template of a model's folder; older checkpoints keep it in a file of its own.

    Raises WeightsError where there is none: a base model was named, not an instruction-tuned one.
    """
    template = tokenizer.chat_template
    if template is None and (older := folder / "chat_template.json").is_file():
        template = json.loads(older.read_text(encoding="utf-8")).get("chat_template")
    if not isinstance(template, str):
        raise WeightsError(
            f"expected one chat template in {folder}, got {type(template).__name__}: "
            "name an instruction-tuned model"
        )
    return template
