"""The model is lost in mid-call by what no close code tells: the line, the name, the certificate.

Through the whole gateway: the caller talks on, hears a soft tone while the model is looked for, and
hears the model again, or is let go when it is looked for too long.
"""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from simulator.audio.levels import dbfs
from simulator.audio.sound import stamps
from simulator.gate.caller import SimulatedCall
from simulator.gate.gate import SimulatedGate
from simulator.gemini.authority import kept_authority
from simulator.gemini.server import FakeGemini
from simulator.target.target import Settings
from simulator.witness.witness import Witness
from voicegate.gateway import Gateway

pytestmark = pytest.mark.virtual

STAMPS = stamps(every_s=0.5)
PING_INTERVAL_S, PING_TIMEOUT_S = 20.0, 20.0
TROUBLE_S = 4.0
BUDGET_S = 8.0
RATE_HZ = 8000


@pytest.fixture
def settings(gemini: FakeGemini) -> Settings:
    """By its name, so that there is one to be looked up."""
    url = f"https://localhost:{gemini.port}"
    return {
        "gemini": {
            "base_url": url,
            "ping_timeout_s": PING_TIMEOUT_S,
            "reconnect_budget_s": BUDGET_S,
        }
    }


Trouble = Callable[[FakeGemini, Path, pytest.MonkeyPatch], AbstractAsyncContextManager[None]]


@asynccontextmanager
async def no_such_name(
    gemini: FakeGemini, _: Path, patch: pytest.MonkeyPatch
) -> AsyncIterator[None]:
    """The name server knows nobody; the connection breaks meanwhile."""
    looked_up = socket.getaddrinfo

    def failing(host: str, *arguments: Any, **options: Any) -> Any:
        if host == "localhost":
            raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
        return looked_up(host, *arguments, **options)

    with patch.context() as within:
        within.setattr(socket, "getaddrinfo", failing)
        gemini.session(0).abort()
        yield


@asynccontextmanager
async def strange_certificate(
    gemini: FakeGemini, folder: Path, _: pytest.MonkeyPatch
) -> AsyncIterator[None]:
    """Somebody stands there whom nobody knows."""
    async with gemini.door.showing(kept_authority(folder)):
        yield


@asynccontextmanager
async def nobody_listens(
    gemini: FakeGemini, _: Path, __: pytest.MonkeyPatch
) -> AsyncIterator[None]:
    """The TCP port is shut."""
    async with gemini.door.locked():
        yield


TROUBLES: dict[str, tuple[Trouble, str]] = {
    "DNS": (no_such_name, "gaierror"),
    "TLS": (strange_certificate, "SSLCertVerificationError"),
    "TCP": (nobody_listens, "ConnectionRefusedError"),
}
"""What goes wrong, and the word for it in the log."""


@pytest.mark.parametrize("case", TROUBLES)
async def test_resume_after_trouble_on_the_way_to_the_service(
    gate: SimulatedGate,
    gateway: Gateway,
    gemini: FakeGemini,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    case: str,
) -> None:
    trouble, word = TROUBLES[case]
    gemini.always(say=STAMPS)
    async with gate.dial("1000", speak=STAMPS) as call:
        await call.lasts(2)
        began_at_s = asyncio.get_running_loop().time()
        async with trouble(gemini, tmp_path, monkeypatch):
            await call.lasts(TROUBLE_S)
        await gemini.connected(1)
        await call.lasts(2)
    assert gemini.session(1).resumed_from == 0
    assert f"cannot be reached: {word}" in caplog.text
    both_heard(call, gemini, 0, 1)
    assert soft_tone_heard(call, began_at_s + 1.2, began_at_s + TROUBLE_S - 0.2)
    await nothing_is_held(gateway, gemini)


@pytest.mark.parametrize("case", TROUBLES)
async def test_resume_that_does_not_come_in_its_time_ends_the_call(
    gate: SimulatedGate,
    gateway: Gateway,
    gemini: FakeGemini,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    case: str,
) -> None:
    trouble, word = TROUBLES[case]
    gemini.always(say=STAMPS)
    call = await gate.dial("1000", speak=STAMPS)
    await call.lasts(2)
    async with trouble(gemini, tmp_path, monkeypatch):
        await call.ended(by="gateway", within_s=BUDGET_S + 1)
        await nothing_is_held(gateway, gemini)
    assert "the voice failed" in caplog.text
    assert word in caplog.text


async def test_resume_after_pings_that_nobody_answers(
    gate: SimulatedGate, gemini: FakeGemini, witness: Witness, caplog: pytest.LogCaptureFixture
) -> None:
    """The model is heard until the connection is given up, and then again."""
    gemini.always(say=STAMPS)
    async with gate.dial("1000", speak=STAMPS) as call:
        await call.lasts(1)
        gemini.session(0).pong(None)
        await gemini.until(lambda: len(gemini.sessions) == 2, PING_INTERVAL_S + PING_TIMEOUT_S)
        await call.lasts(2)
    assert gemini.session(1).resumed_from == 0
    assert "Gemini did not answer our pings" in caplog.text
    both_heard(call, gemini, 0, 1)
    await nothing_is_left(gemini, witness)


async def test_resume_after_a_half_open_line(
    gate: SimulatedGate,
    gemini: FakeGemini,
    witness: Witness,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The service takes the old connection for alive, and refuses the handle: begun anew, then."""
    gemini.always(say=STAMPS)
    async with gate.dial("1000", speak=STAMPS) as call:
        await call.lasts(2)
        gemini.session(0).wire.half_open()
        within_s = PING_INTERVAL_S + PING_TIMEOUT_S + BUDGET_S
        await gemini.connected(3, within_s)
        await call.lasts(2)
    last = gemini.session(3)
    assert last.resumed_from is None
    assert "go on from what was said so far" in str(last.setup["systemInstruction"])
    assert "Gemini did not answer our pings" in caplog.text
    both_heard(call, gemini, 0, last.number)
    for session in (gemini.session(1), gemini.session(2)):
        assert [one.rule for one in session.violations] == ["F12"], "no other way on such a line"
        session.violations.clear()
    gemini.session(0).wire.half_open(False)
    await nothing_is_left(gemini, witness)


def both_heard(call: SimulatedCall, gemini: FakeGemini, *numbers: int) -> None:
    """The caller heard these connections one after the other, each once, and they the caller."""
    heard = [(stamp.identity, stamp.sequence) for stamp in call.heard.stamps()]
    assert heard == sorted(set(heard))
    assert {identity for identity, _ in heard} == {gemini.session(n).identity for n in numbers}
    for number in numbers:
        assert gemini.session(number).heard.only_from(call, at_least=2)


def soft_tone_heard(call: SimulatedCall, from_s: float, until_s: float) -> bool:
    """Neither a dead line nor anything loud."""
    pcm = call.heard.pcm(RATE_HZ, from_s, until_s)
    levels = [dbfs(pcm[at : at + 160]) for at in range(0, len(pcm) - 160, 160)]
    return min(levels) > -65 and max(levels) < -28


async def nothing_is_held(gateway: Gateway, gemini: FakeGemini) -> None:
    """For those who have changed the service's door, which a witness takes for a leak."""
    await gemini.until(lambda: gemini.open_sessions == 0, within_s=5)
    await asyncio.sleep(0.1)
    assert not gateway.calls
    assert gateway.ports.lent == 0
    assert gateway.voice.open_conversations == 0


async def nothing_is_left(gemini: FakeGemini, witness: Witness) -> None:
    await gemini.until(lambda: gemini.open_sessions == 0, within_s=5)
    await witness.settle()
    witness.check(after="the call")
