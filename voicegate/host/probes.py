"""Checks that ask somebody: the model, the gate, and this machine's own loopback by two calls."""

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable
from typing import Any

from voicegate.config import Config
from voicegate.host.findings import Finding, fail, ok, warn
from voicegate.host.internet import mend_of
from voicegate.sip.message import (
    MAX_MESSAGE_BYTES,
    Address,
    Request,
    Response,
    SipParseError,
    parse,
    serialise,
)
from voicegate.sip.udp import face_towards, open_udp_socket
from voicegate.voice.session import VoiceError

GATE_WITHIN_S = 2.0
"""The patience of a gate's own qualify."""


async def model_answers(config: Config) -> Finding:
    """Open a conversation with the model as a call would, and close it."""
    if config.voice.backend != "gemini":
        return ok("model", f"not asked: voice.backend is {config.voice.backend}")
    if not config.gemini.api_key.get_secret_value():
        return warn("model", "not asked: there is no key", "set GEMINI_API_KEY")
    from voicegate.voice.gemini import open_gemini  # 62 MB that an echo does not need

    loop = asyncio.get_running_loop()
    began_at = loop.time()
    try:
        async with open_gemini(config.gemini) as gemini, gemini.converse():
            took_ms = (loop.time() - began_at) * 1000
    except VoiceError as error:
        return fail("model", str(error), mend_of(str(error)))
    return ok("model", f"{config.gemini.model} answers, set up in {took_ms:.0f} ms")


async def gate_answers(gate: Address, config: Config) -> Finding:
    """Send the gate one OPTIONS, as it sends us to see whether we live."""
    name = f"gate {gate}"
    host = face_towards(gate, "")
    if not host:
        return fail(name, "no route leads there", "check the network and the gate's address")
    loop = asyncio.get_running_loop()
    with open_udp_socket(host, 0) as sock:
        own = Address(host, int(sock.getsockname()[1]))
        await loop.sock_sendto(sock, serialise(_options(gate, own)), (gate.host, gate.port))
        try:
            async with asyncio.timeout(GATE_WITHIN_S):
                answer = await _first_response(sock)
        except (TimeoutError, OSError):
            mend = f"is the gate on, and may {host} speak to its UDP port {gate.port}?"
            return fail(name, f"no answer to OPTIONS within {GATE_WITHIN_S:.0f} s", mend)
    text = f"answers OPTIONS with {answer.status} {answer.reason}"
    if answer.status in (401, 403, 407):
        user = config.sip.username or "a user"
        return warn(name, text, f"let the gate know {user} at {host}: it refuses strangers")
    return ok(name, text)


def _options(gate: Address, own: Address) -> Request:
    tag, branch = os.urandom(6).hex(), os.urandom(8).hex()
    headers = (
        ("Via", f"SIP/2.0/UDP {own};branch=z9hG4bK{branch};rport"),
        ("Max-Forwards", "70"),
        ("From", f"<sip:voicegate@{own}>;tag={tag}"),
        ("To", f"<sip:{gate}>"),
        ("Call-ID", f"{branch}@{own.host}"),
        ("CSeq", "1 OPTIONS"),
        ("Contact", f"<sip:voicegate@{own}>"),
        ("Accept", "application/sdp"),
    )
    return Request("OPTIONS", f"sip:{gate}", headers)


async def _first_response(sock: socket.socket) -> Response:
    loop = asyncio.get_running_loop()
    while True:
        data = await loop.sock_recv(sock, MAX_MESSAGE_BYTES)
        try:
            message = parse(data)
        except SipParseError:
            continue
        if isinstance(message, Response):
            return message


async def two_calls(run: Callable[[], Awaitable[dict[str, Any]]]) -> Finding:
    """Make two calls over this machine's loopback by `run`, the demo's: sound both ways."""
    name = "two calls"
    result = await run()
    if result["passed"]:
        return ok(name, "both heard both ways over loopback, nothing left behind")
    deaf = [str(call["number"]) for call in result["calls"] if not _heard(call)]
    left = [f"{count} {kind}" for kind, count in result["left_behind"].items() if count]
    text = f"calls not heard: {', '.join(deaf) or 'none'}; left behind: {', '.join(left) or 'none'}"
    return fail(name, text, "run `voicegate demo` and look at its report.html and voicegate.log")


def _heard(call: dict[str, object]) -> bool:
    return bool(call["heard_by_model"] and call["heard_by_caller"])
