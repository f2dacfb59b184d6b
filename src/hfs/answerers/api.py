"""Frames and a question -> the answer of any server that speaks OpenAI's chat API.

OpenAI, vLLM, SGLang, llama.cpp, ``transformers serve``. The key comes from the environment alone
(``OPENAI_API_KEY``); it is in no spec, no result and no log.
"""

import os
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal
from urllib.parse import urlsplit

from hfs import plugins
from hfs.answerers import Answer, Asked
from hfs.answers import letter
from hfs.errors import FailureError, MissingExtra, UsageError
from hfs.exporters import Exporter
from hfs.message import Message, within

KEY = "OPENAI_API_KEY"
OPENAI = "https://api.openai.com/v1"


@dataclass(frozen=True)
class Answerer:
    """Any OpenAI-compatible server: OpenAI, vLLM, SGLang, llama.cpp, transformers serve."""

    model: str
    """As the server names it."""
    base_url: str = OPENAI
    """The server's address, with its ``/v1``; a key is taken from the environment alone."""
    exporter: str = "openai"
    """How frames are sent: ``openai(quality=80, detail='low')``, ``vllm``."""
    pixels: int | None = None
    """Frames with more pixels are shrunk to this many."""
    concurrency: int = 8
    """Most questions that are asked at the same time."""
    timeout: float = 120.0
    """Seconds that one try may take."""
    retries: int = 4
    """Further tries where the server is down, slow, busy (429) or broken (5xx), each after a longer
    pause, or after the one that the server asks for (Retry-After)."""
    new_tokens: int = 64
    """Longest answer."""
    limit: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"
    """What the server calls it; OpenAI's newest models know only the second."""
    temperature: float | None = 0.0
    """None: the server's own, for models that refuse any other."""

    def __post_init__(self) -> None:
        address = urlsplit(self.base_url)
        if address.scheme not in ("http", "https") or not address.hostname:
            raise UsageError(f"expected base_url to be http(s)://HOST/v1, got {self.base_url!r}")
        if address.username or address.password or address.query:
            raise UsageError(f"expected no secret in base_url: keys come from the variable {KEY}")
        pixels = 1 if self.pixels is None else self.pixels
        if min(self.concurrency, self.new_tokens, pixels) < 1 or self.retries < 0:
            raise UsageError("expected concurrency, new_tokens and pixels of at least 1, retries 0")
        if not self.timeout > 0:
            raise UsageError(f"expected a timeout of more than 0 seconds, got {self.timeout}")
        plugins.build("exporters", self.exporter)

    def __call__(self, items: Sequence[Asked]) -> list[Answer]:
        """Each failure is the error of its own answer, and the others go on.

        Once the server has refused or not answered `_Trust.patience` questions in a row, the rest
        are not asked, and their errors say so. Raises FailureError where OpenAI itself is asked
        without a key.
        """
        client, trust = self._client, _Trust(patience=max(3, self.concurrency))
        with ThreadPoolExecutor(self.concurrency) as pool:
            try:
                return list(pool.map(lambda item: self._answer(client, item, trust), items))
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise

    def _answer(self, client: Any, item: Asked, trust: "_Trust") -> Answer:
        if lost := trust.lost():
            return Answer("", error=f"not asked: {lost}")
        started = time.perf_counter()
        answer, hopeless = self._ask(client, item)
        trust.saw(answer.error if hopeless else None)
        return replace(answer, seconds=time.perf_counter() - started)

    def _ask(self, client: Any, item: Asked) -> tuple[Answer, bool]:
        """The answer, and whether the server seems to be gone for every question."""
        import openai

        options: dict[str, Any] = {"model": self.model, self.limit: self.new_tokens}
        if self.temperature is not None:
            options["temperature"] = self.temperature
        try:
            frames = within(item.frames, self.pixels)
            request = self._exporter(Message(frames, item.prompt, item.duration, item.subtitles))
            options["messages"] = request.pop("messages")
            reply = client.chat.completions.create(**options, extra_body=request or None)
            return _read(reply, item), False
        except UsageError as error:
            return Answer("", error=str(error)), False
        except openai.APIError as error:
            return Answer("", error=self._explain(error)), _hopeless(error)
        except ValueError as error:  # a body that is no JSON, or no chat completion
            return Answer("", error=f"the server's answer cannot be read: {_line(error)}"), False

    def _explain(self, error: Any) -> str:
        import openai

        count = int(error.request.headers.get("x-stainless-retry-count", 0)) + 1
        tries = "at the first try" if count == 1 else f"after {count} tries"
        match error:
            case openai.APITimeoutError():
                return f"no answer from {self.base_url} within {self.timeout:g} s, {tries}"
            case openai.APIConnectionError():
                reason = _line(error.__cause__ or error)
                return f"no connection to {self.base_url} {tries}: {reason}"
            case openai.RateLimitError():
                said = f"the server takes no more requests now (429), {tries}"
            case openai.APIStatusError() if error.status_code >= 500:
                said = f"the server failed ({error.status_code}), {tries}"
            case openai.APIStatusError():
                said = f"the server refused the request ({error.status_code})"
            case _:
                said = "the server's answer cannot be read"
        return f"{said}: {self._without_key(_line(error))}"

    def _without_key(self, text: str) -> str:
        key = os.environ.get(KEY)
        return text.replace(key, "***") if key else text

    @cached_property
    def _exporter(self) -> Exporter:
        return plugins.build("exporters", self.exporter)

    @property
    def _client(self) -> Any:
        try:
            import openai
        except ImportError as error:
            raise MissingExtra("the api answerer", "openai", "evaluate") from error
        key = os.environ.get(KEY)
        if not key and self.base_url == OPENAI:
            raise FailureError(
                f"expected a key in the environment variable {KEY}, found none: set it, or name "
                "your own server with base_url='http://HOST:PORT/v1'"
            )
        return openai.OpenAI(
            api_key=key or "none",
            base_url=self.base_url,
            timeout=self.timeout,
            max_retries=self.retries,
        )


@dataclass
class _Trust:
    """Whether asking on makes sense: a server that is gone would cost every try of every item."""

    patience: int
    """Failures in a row after which no more is asked."""
    failures: int = 0
    reason: str = ""
    lock: threading.Lock = field(default_factory=threading.Lock)

    def lost(self) -> str:
        with self.lock:
            if self.failures < self.patience:
                return ""
            return f"{self.failures} questions in a row failed, the last with: {self.reason}"

    def saw(self, failure: str | None) -> None:
        with self.lock:
            self.failures = self.failures + 1 if failure else 0
            self.reason = failure or ""


def _hopeless(error: Any) -> bool:
    """No connection, a key that is refused, a model or address that is not there."""
    import openai

    refused = (openai.AuthenticationError, openai.PermissionDeniedError, openai.NotFoundError)
    return isinstance(error, (openai.APIConnectionError, *refused))


def _read(reply: Any, item: Asked) -> Answer:
    """The answer in a chat completion. Raises ValueError for anything else."""
    choices = getattr(reply, "choices", None)
    if not choices or getattr(choices[0], "message", None) is None:
        raise ValueError(f"expected a chat completion, got {str(reply)[:200]!r}")
    said, ended = choices[0].message, getattr(choices[0], "finish_reason", None)
    content, refusal = getattr(said, "content", None), getattr(said, "refusal", None)
    text = content.strip() if isinstance(content, str) else ""
    error = None
    if refusal:
        error = f"the model refused: {_line(refusal)}"
    elif ended == "content_filter":
        error = "the server's content filter stopped the answer"
    elif not text:
        error = f"the answer is empty (it ended by {ended!r})"
    found = letter(text, item.options) if item.options and error is None else None
    usage = getattr(reply, "usage", None)
    counts = [getattr(usage, name, 0) for name in ("prompt_tokens", "completion_tokens")]
    tokens = [count if isinstance(count, int) else 0 for count in counts]
    return Answer(text, found, *tokens, error=error)


def _line(error: object) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= 300 else f"{text[:300]}..."
