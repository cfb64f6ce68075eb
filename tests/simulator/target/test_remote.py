"""A gateway elsewhere: how it is named, and what can be seen of it."""

import asyncio
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from simulator.target.remote import BadTarget, at_uri, calm, parse_uri


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("sip:127.0.0.1:5070", ("", "127.0.0.1", 5070)),
        ("sip:127.0.0.1", ("", "127.0.0.1", 5060)),
        ("sip:100@127.0.0.1", ("100", "127.0.0.1", 5060)),
        ("sip:[::1]:5070", ("", "::1", 5070)),
        ("sip:localhost:5070", ("", "127.0.0.1", 5070)),
    ],
)
def test_a_uri_is_read(text: str, parts: tuple[str, str, int]) -> None:
    assert parse_uri(text) == parts


@pytest.mark.parametrize(
    "text", ["", "127.0.0.1:5060", "sip:", "sip:127.0.0.1:x", "sip:127.0.0.1:0", "sip:a:70000"]
)
def test_what_is_no_uri_is_told_with_an_example(text: str) -> None:
    with pytest.raises(BadTarget):
        parse_uri(text)


def test_a_gateway_that_shows_nothing_says_why() -> None:
    target = at_uri("sip:127.0.0.1:5070", "http://127.0.0.1:1/resources")
    assert target.take is None
    assert "give --resources URL" in target.unseen


@pytest.fixture
def admin() -> Iterator[str]:
    """An admin side that holds one call at first and none later."""
    asked: list[str] = []

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            told = {"calls": int(len(asked) < 3), "gemini_sessions": 0, "threads": ["Main"]}
            told |= {"tasks": ["gateway"], "sockets": 1, "files": 0}
            body = json.dumps(told).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Keep quiet."""

    server = HTTPServer(("127.0.0.1", 0), Answers)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_what_it_holds_is_seen_and_waited_for(admin: str) -> None:
    target = at_uri("sip:127.0.0.1:5070", f"{admin}/resources")
    assert target.unseen == ""
    assert target.take is not None
    assert [trace.name for trace in target.take().traces if trace.kind == "objects"] == ["calls"]
    asyncio.run(calm(target))
    assert target.take().counts()["objects"] == 0
