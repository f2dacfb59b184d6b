"""A script of replies -> a server on loopback that speaks OpenAI's chat API by it, then is gone."""

import base64
import io
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from PIL import Image

Reply = tuple[int, dict[str, str], bytes]
"""Status, headers, body."""


class ChatServer(ThreadingHTTPServer):
    """Answers each request by ``reply(request, how often this question came)``."""

    daemon_threads = True

    def __init__(self, reply: Callable[[dict[str, Any], int], Reply]):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.reply = reply
        self.lock = threading.Lock()
        self.requests: list[dict[str, Any]] = []
        self.keys: list[str] = []
        self.at: list[float] = []
        self.now = self.most = 0
        """Requests in work, and the most there were."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/v1"


class _Handler(BaseHTTPRequestHandler):
    server: ChatServer

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        body["path"] = self.path
        server = self.server
        with server.lock:
            before = sum(question(r) == question(body) for r in server.requests)
            server.requests.append(body)
            server.keys.append(self.headers.get("Authorization", ""))
            server.at.append(time.monotonic())
            server.now += 1
            server.most = max(server.most, server.now)
        status, headers, content = server.reply(body, before)
        with server.lock:
            server.now -= 1
        try:
            self.send_response(status)
            for name, value in {"Content-Type": "application/json", **headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)
        except OSError:
            self.close_connection = True  # the client had no patience

    def log_message(self, format: str, *arguments: Any) -> None:
        """Silence."""


@contextmanager
def serving(reply: Callable[[dict[str, Any], int], Reply]) -> Iterator[ChatServer]:
    """The server while it runs."""
    server = ChatServer(reply)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


def question(request: dict[str, Any]) -> str:
    """The last text of a request."""
    return request["messages"][0]["content"][-1]["text"].strip()


def pictures(request: dict[str, Any]) -> list[Image.Image]:
    """The pictures of a request, decoded."""
    urls = [p["image_url"]["url"] for p in request["messages"][0]["content"] if "image_url" in p]
    data = [url.removeprefix("data:image/jpeg;base64,") for url in urls]
    return [Image.open(io.BytesIO(base64.b64decode(one))) for one in data]


def completion(text: str | None, **other: Any) -> Reply:
    """A whole and good reply; ``other`` replaces fields of its only choice."""
    choice = {"index": 0, "finish_reason": "stop", **other}
    choice["message"] = {"role": "assistant", "content": text, **other.get("message", {})}
    body = {
        "id": "1",
        "object": "chat.completion",
        "created": 1,
        "model": "m",
        "choices": [choice],
        "usage": {"prompt_tokens": 321, "completion_tokens": 2, "total_tokens": 323},
    }
    return 200, {}, json.dumps(body).encode()


def failure(status: int, message: str = "it broke", **headers: str) -> Reply:
    """An error as OpenAI words it."""
    body = json.dumps({"error": {"message": message, "type": "x", "code": None}}).encode()
    return status, {name.replace("_", "-"): value for name, value in headers.items()}, body
