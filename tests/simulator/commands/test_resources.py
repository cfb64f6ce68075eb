"""What is left behind, by the gateway's own word."""

import asyncio
import json
from typing import Any

import pytest

from simulator.commands.resources import (
    TOKEN_VARIABLE,
    Unreadable,
    left_behind,
    read_resources,
    read_when_back,
)

BEFORE = {
    "calls": 0,
    "threads": ["MainThread", "x"],
    "tasks": ["Gateway.serve"],
    "sockets": 1,
    "rtp_ports": {"lent": 0, "resting": 0},
}


@pytest.mark.parametrize(
    ("change", "left"),
    [
        ({}, []),
        ({"calls": 2}, ["calls: 0 -> 2"]),
        ({"threads": ["MainThread", "x", "x"]}, ["threads: x"]),
        ({"tasks": ["b", "a"], "sockets": 0}, ["tasks: a", "tasks: b"]),
        ({"rtp_ports": {"lent": 1, "resting": 40}}, ["rtp_ports.lent: 0 -> 1"]),
        ({"new": 3, "version": "x", "ok": True}, ["new: 0 -> 3"]),
    ],
)
def test_what_is_more_than_before_is_named(change: dict[str, Any], left: list[str]) -> None:
    assert left_behind(BEFORE, BEFORE | change) == left


class Service:
    """Answers every request with the next of some bodies, the last one from then on."""

    def __init__(self, *bodies: str, status: str = "200 OK") -> None:
        self.requests: list[str] = []
        self._bodies = list(bodies)
        self._status = status

    async def __aenter__(self) -> str:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/resources"

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.requests.append((await reader.readuntil(b"\r\n\r\n")).decode())
        body = self._bodies.pop(0) if len(self._bodies) > 1 else self._bodies[0]
        head = f"HTTP/1.1 {self._status}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n"
        writer.write(f"{head}Content-Type: application/json\r\n\r\n{body}".encode())
        await writer.drain()
        writer.close()
        await writer.wait_closed()


async def test_they_are_read_again_until_they_are_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(TOKEN_VARIABLE, "hush")
    service = Service(json.dumps(BEFORE | {"calls": 1}), json.dumps(BEFORE))
    async with service as url:
        assert await read_when_back(url, BEFORE, within_s=10) == BEFORE
    assert len(service.requests) == 2
    assert "Authorization: Bearer hush" in service.requests[0]


async def test_what_stays_is_given_after_the_time() -> None:
    stays = BEFORE | {"calls": 1}
    async with Service(json.dumps(stays)) as url:
        assert await read_when_back(url, BEFORE, within_s=0) == stays


@pytest.mark.parametrize(
    ("body", "status"), [("{}", "404 Not Found"), ("{", "200 OK"), ("[1]", "200 OK")]
)
async def test_what_cannot_be_read_is_said(body: str, status: str) -> None:
    async with Service(body, status=status) as url:
        with pytest.raises(Unreadable, match=r"^http://127\.0\.0\.1:\d+/resources: ."):
            await read_resources(url)


async def test_nobody_there_is_said() -> None:
    with pytest.raises(Unreadable, match="Cannot connect"):
        await read_resources("http://127.0.0.1:9/resources")
