"""The six causes of the silent second call as stories, A to F.

A: a clean-up that failed. B: a BYE matched by its address. C: our own BYE, built wrong. D: a failed
set-up that left its media. E: RTP matched by less than its own port. F: an ICMP error.

Each ends with a call that both sides hear. They are plain functions, so that tests can tell them
to a gateway into which the cause was put back, and must then see them fail.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from simulator.audio.g711 import LAW
from simulator.audio.heard import Heard, Source
from simulator.audio.sound import silence, speech, stamps
from simulator.gate.caller import SimulatedCall
from simulator.gate.gate import SimulatedGate
from simulator.gate.rtp import RtpSender
from simulator.gate.sip_socket import UdpSocket, open_udp
from simulator.gemini.server import FakeGemini
from simulator.network import WindowsUdp
from simulator.witness.witness import Witness

EVERY_S = 0.5
STAMPS = stamps(every_s=EVERY_S)
CALL_S = 1.7
AT_LEAST = 2
"""Of the three whole stamps that fit into CALL_S after the jitter buffers' delay."""

STRANGER = 99
"""An identity that no caller of a story has."""
SPRAY_PACKETS, SPRAY_S = 2, 0.04
"""Two packets at a time: a receiver that takes any source believes the second of a stranger."""

TO_A_LATE_BYE = (200, 481)
"""RFC 3261 15.1.2 says 481; for 32 s 200 is as good: some gates send a new BYE for an old one."""

PORT_REST_S = 5.1
"""A little longer than the gateway rests an RTP port."""

DEAF_RTP_S, DEAF_SIP_S = 2.0, 6.0
"""A socket that hears nothing after an error must be replaced so soon."""

LINGER_S = 1.2
"""Longer than a gate keeps the RTP port of a call that is over."""


@dataclass(frozen=True)
class Stage:
    """Who plays: the world around the gateway under test, which may run anywhere."""

    gate: SimulatedGate
    "The gate with its callers."

    gemini: FakeGemini
    "The model."

    witness: Witness
    "The leak gate, with its baseline taken."

    windows: WindowsUdp | None = None
    "What the gateway's UDP sockets suffer, if anything."


def prove_heard(ear: Heard, source: Source, who: str, at_least: int = AT_LEAST) -> None:
    """Whose voice it was, and nobody else's; AssertionError says what was heard instead."""
    evidence = ear.only_from(source, at_least=at_least)
    assert evidence, f"{who}: {evidence!r}"


def prove_both_heard(
    stage: Stage, call: SimulatedCall, number: int, at_least: int = AT_LEAST
) -> None:
    """The call and conversation `number` heard each other, and no one else."""
    model = stage.gemini.session(number)
    prove_heard(call.heard, model, f"call {call.identity} hears the model", at_least)
    prove_heard(model.heard, call, f"the model hears call {call.identity}", at_least)


@asynccontextmanager
async def call_with_stamps(
    stage: Stage, at_least: int = AT_LEAST, **quirks: object
) -> AsyncIterator[SimulatedCall]:
    """A call in which both sides speak stamps; it proves at its end that both were heard."""
    number = len(stage.gemini.sessions)
    stage.gemini.always(say=STAMPS, session=number)
    speaks = quirks.pop("speak", STAMPS)
    async with stage.gate.dial("1000", speak=speaks, **quirks) as call:  # type: ignore[arg-type]
        yield call
    prove_both_heard(stage, call, number, at_least)


async def a_call_is_heard(stage: Stage, seconds: float = CALL_S) -> SimulatedCall:
    """A whole call: dialled, heard both ways, hung up."""
    async with call_with_stamps(stage) as call:
        await call.lasts(seconds)
    return call


async def nothing_is_left(stage: Stage, after: str, wait_s: float = 0.0) -> None:
    """What a call opened is gone; LeakFound says by name what is not."""
    await stage.witness.settle(wait_s)
    stage.witness.check(after=after)


async def second_call_is_heard(stage: Stage, after: str = "call 1") -> None:
    """The end of every story: nothing is left of call 1, and call 2 sounds as call 1 should."""
    await nothing_is_left(stage, after)
    await a_call_is_heard(stage)
    await nothing_is_left(stage, "call 2")
    stage.gate.check()


# Cause A, clean-up


def model_is_gone(stage: Stage) -> None:
    """The model's connection is cut in the very moment in which the caller hangs up."""
    stage.gemini.session(0).abort()


def model_never_lets_go(stage: Stage) -> None:
    """The model takes no part in the closing of its connection for the next 5 s."""
    transport = stage.gemini.session(0)._ws.transport
    transport.pause_reading()
    asyncio.get_running_loop().call_later(5.0, transport.resume_reading)


async def a_clean_up_in_trouble(
    stage: Stage, trouble: Callable[[Stage], None] | None = None
) -> None:
    """A: whatever troubles the clean-up of call 1, it is done, and call 2 is heard."""
    async with call_with_stamps(stage) as call:
        await call.lasts(CALL_S)
        if trouble is not None:
            trouble(stage)
    if trouble is model_never_lets_go:
        await asyncio.sleep(6.0)
    await second_call_is_heard(stage)


# Cause B, the identity of dialogs


async def b_bye_of_call_1_in_call_2(stage: Stage) -> None:
    """B: a BYE of call 1, come again or come late, ends call 1 only."""
    first = await a_call_is_heard(stage)
    async with call_with_stamps(stage) as second:
        await second.lasts(0.5)
        assert await first.retransmit_bye() == 200
        await second.lasts(0.5)
        assert await first.stale_bye() in TO_A_LATE_BYE
        await second.lasts(CALL_S)
    assert second.ended_by == "caller"
    await nothing_is_left(stage, "both calls")
    stage.gate.check()


async def b_late_bye_after_our_own(stage: Stage) -> None:
    """B: the gateway ended call 1; the gate's own BYE for it comes in the midst of call 2."""
    stage.gemini.on_text(session=0)
    first = await stage.gate.dial("1000", speak=silence)
    await first.ended(by="gateway", within_s=20)
    async with call_with_stamps(stage) as second:
        await second.lasts(0.5)
        assert await first.stale_bye() in TO_A_LATE_BYE
        await second.lasts(CALL_S)
    assert second.ended_by == "caller"
    await nothing_is_left(stage, "both calls")
    stage.gate.check()


# Cause C, our own BYE


async def c_our_bye_is_right(stage: Stage, **quirks: object) -> None:
    """C: a gate that takes a BYE by the book knows that call 1 is over; call 2 is heard."""
    stage.gemini.on_text(session=0)
    call = await stage.gate.dial("1000", speak=silence, **quirks)  # type: ignore[arg-type]
    await call.ended(by="gateway", within_s=20)
    call.check()
    assert stage.gate.open_calls == 0
    await second_call_is_heard(stage)


# Cause D, set-ups that fail


async def model_refuses(stage: Stage) -> None:
    """Google says no."""
    stage.gemini.refuse(403, times=1)
    await stage.gate.dial("1000", expect=503)


async def model_drops_the_set_up(stage: Stage) -> None:
    """Google closes both tries instead of completing the set-up."""
    stage.gemini.refuse_setup(1011, "Internal error encountered.", times=2)
    await stage.gate.dial("1000", expect=503)


async def caller_cancels(stage: Stage) -> None:
    """The caller gives up while the model connects."""
    stage.gemini.stall_setup(5, times=1)
    call = await stage.gate.dial("1000", until="ringing")
    assert await call.cancel() == 487


async def no_common_codec(stage: Stage) -> None:
    """The offer brings nothing that we speak."""
    await stage.gate.dial("1000", codecs=(), expect=488)


FAILURES: dict[str, Callable[[Stage], Awaitable[None]]] = {
    "model-refuses": model_refuses,
    "model-drops-the-set-up": model_drops_the_set_up,
    "caller-cancels": caller_cancels,
    "no-common-codec": no_common_codec,
}


async def d_set_up_fails(stage: Stage, failure: str) -> None:
    """D: of a call that never came to be nothing stays that could swallow the next one's sound."""
    await FAILURES[failure](stage)
    await a_call_is_heard(stage)
    await nothing_is_left(stage, f"{failure} and call 2")
    stage.gate.check()


async def d_no_port_is_free(stage: Stage) -> None:
    """D: to a gateway of two RTP ports: the third call is refused; each port comes back."""
    async with stage.gate.dial("1000") as first, stage.gate.dial("1000") as second:
        await first.lasts(0.5)
        await stage.gate.dial("1000", expect=503)
        await second.lasts(0.5)
    await asyncio.sleep(PORT_REST_S)
    for _ in range(2):
        await caller_cancels(stage)
    await asyncio.sleep(PORT_REST_S)
    await second_call_is_heard(stage, "refused calls")


# Cause E, whose RTP it is


class Straggler:
    """Speaks RTP that belongs to no call (any more), two packets at a time."""

    def __init__(self, mouth: UdpSocket, identity: int, targets: tuple[tuple[str, int], ...]):
        self._mouth = mouth
        self._targets = targets
        self._frames = STAMPS.frames(identity, 8000)
        self._sender = RtpSender(8, ssrc=identity, sequence=1, timestamp=0)
        self._loop = asyncio.get_running_loop()
        self._speak()

    def _speak(self) -> None:
        for _ in range(SPRAY_PACKETS):
            packet = self._sender.audio(LAW["PCMA"].encode(next(self._frames)))
            for target in self._targets:
                self._mouth.send(packet, target)
        self._timer = self._loop.call_later(SPRAY_S, self._speak)

    def stop(self) -> None:
        """Fall silent."""
        self._timer.cancel()


@asynccontextmanager
async def straggling(port: int, identity: int, *targets: tuple[str, int]) -> AsyncIterator[None]:
    """Somebody speaks as `identity` from this port of ours (0: any) to all these addresses."""
    mouth = await open_udp("127.0.0.1", port, lambda *_: None, None)
    straggler = Straggler(mouth, identity, targets)
    try:
        yield
    finally:
        straggler.stop()
        mouth.close()
        await mouth.closed()


def rtp_address_of_gateway(call: SimulatedCall) -> tuple[str, int]:
    """Where the gateway hears this call."""
    assert call.answer is not None
    assert call.answer.agreed is not None
    return call.answer.agreed.remote


async def e_rtp_of_others(stage: Stage) -> None:
    """E: RTP reaches a call by the call's own port and address only.

    While caller 2 says nothing, caller 1 talks on from its old socket, to its old port and to that
    of call 2; then a stranger talks; then both at once while caller 2 speaks.
    """
    first = await a_call_is_heard(stage)
    async with call_with_stamps(stage, speak=silence, dtx=True) as second:
        await second.lasts(LINGER_S)
        old, new = rtp_address_of_gateway(first), rtp_address_of_gateway(second)
        assert old != new, "the RTP port of call 1 was lent again without a rest"
        async with straggling(first.media.port, first.identity, old, new):
            await second.lasts(1.5)
        async with straggling(0, STRANGER, new):
            await second.lasts(1.5)
            async with straggling(first.media.port, first.identity, old, new):
                second.say(STAMPS)
                await second.lasts(CALL_S)
    await nothing_is_left(stage, "both calls")
    stage.gate.check()


async def e_calls_at_once(stage: Stage) -> None:
    """E: of two calls of one gate, and one SIP port, each has its own sound."""
    async with call_with_stamps(stage) as first:
        await first.lasts(1.0)
        async with call_with_stamps(stage) as second:
            await second.lasts(CALL_S)
    await nothing_is_left(stage, "both calls")
    stage.gate.check()


# Cause F, ICMP errors: WinError 10054 on Windows


async def f_reset_in_mid_call(stage: Stage) -> None:
    """F: 10054 strikes the SIP socket and those of call 1; both calls are heard."""
    assert stage.windows is not None
    # more than were heard before it struck
    async with call_with_stamps(stage, at_least=4) as call:
        await call.lasts(1.0)
        assert stage.windows.trigger() == 3, "the SIP socket, RTP and RTCP were to be struck"
        await call.lasts(CALL_S)
    await second_call_is_heard(stage)


async def f_deaf_rtp_socket(stage: Stage) -> None:
    """F: an RTP socket that went deaf is opened anew: its own call is heard again, and the next."""
    assert stage.windows is not None
    stage.gemini.always(say=STAMPS, session=0)
    async with stage.gate.dial("1000", speak=STAMPS) as call:
        await call.lasts(1.0)
        _, port = rtp_address_of_gateway(call)
        assert stage.windows.trigger(port) == 1
        assert stage.windows.deaf_ports == (port,)
        await call.lasts(DEAF_RTP_S)
        assert not stage.windows.deaf_ports
        model = stage.gemini.session(0)
        before = len(model.heard.only_from(call, at_least=0).own)
        await call.lasts(CALL_S)
    prove_heard(call.heard, model, "call 1 hears the model")
    prove_heard(model.heard, call, "the model hears call 1 again", before + AT_LEAST)
    await second_call_is_heard(stage)


async def f_deaf_sip_socket(stage: Stage) -> None:
    """F: the SIP socket went deaf: it is opened anew, and the gate's next call comes in."""
    assert stage.windows is not None
    assert stage.windows.trigger() == 1, "a SIP socket was to be struck"
    await asyncio.sleep(DEAF_SIP_S)
    assert not stage.windows.deaf_ports
    await a_call_is_heard(stage)
    stage.gate.check()


async def f_port_unreachable(stage: Stage) -> None:
    """F: the RTP port of caller 1 closes in mid-call, and somebody asks us and is gone."""
    stage.gemini.on_text(say=speech(10.0), session=0)
    async with stage.gate.dial("1000", speak=STAMPS) as call:
        await call.lasts(1.0)
        call.close_rtp_port()
        await ask_and_be_gone(stage)
        await call.lasts(1.0)
    await second_call_is_heard(stage)


async def ask_and_be_gone(stage: Stage) -> None:
    """Send OPTIONS from a port that is closed before the answer comes."""
    assert stage.gate.gateway is not None
    host, port = stage.gate.gateway
    asker = await open_udp("127.0.0.1", 0, lambda *_: None, None)
    own = asker.address
    lines = (
        f"OPTIONS sip:{host}:{port} SIP/2.0",
        f"Via: SIP/2.0/UDP {own};branch=z9hG4bKgone;rport",
        "Max-Forwards: 70",
        f"From: <sip:asker@{own}>;tag=1",
        f"To: <sip:{host}:{port}>",
        f"Call-ID: gone@{own}",
        "CSeq: 1 OPTIONS",
        "Content-Length: 0",
    )
    asker.send("".join(f"{line}\r\n" for line in (*lines, "")).encode(), (host, port))
    asker.close()
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(asker.closed(), 1.0)
