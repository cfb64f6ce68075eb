"""Each cause of the silent second call, put back into the gateway, turns its story red.

The stories are those of scenarios/test_silent_second_call.py, word for word.
"""

import asyncio
import contextlib
import os
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import pytest

from scenarios import stories
from scenarios.stories import Stage
from simulator.clock import run_virtual
from simulator.gate.caller import CallRefused, NoAnswer
from simulator.gate.gate import SimulatedGate
from simulator.gemini.server import FakeGemini
from simulator.network import windows_udp
from simulator.witness.witness import LeakFound, Witness
from voicegate.call import Call
from voicegate.config import load
from voicegate.ear import Ear
from voicegate.gateway import Gateway
from voicegate.media.lent import RtpProtocol
from voicegate.media.ports import PortPool
from voicegate.media.session import MediaSession
from voicegate.sip.address import Address, Flow
from voicegate.sip.dialog import Dialog
from voicegate.sip.endpoint import Endpoint
from voicegate.sip.incall import ignore
from voicegate.sip.message import Headers, Received, Request
from voicegate.sip.udp import UdpListener
from voicegate.sip.usage import CallState, InviteUsage
from voicegate.sip.user_agent import IncomingCall
from voicegate.voice.conversation import GeminiConversation

Story = Callable[[Stage], Awaitable[None]]

STOP_S = 5.0
OWNED_TYPES = (
    "voicegate.call.Call",
    "voicegate.media.session.MediaSession",
    "voicegate.voice.conversation.GeminiConversation",
)


@dataclass(frozen=True)
class Sinner:
    """Where a sin is committed, and where what it leaves is put for the clean-up of the test."""

    patch: pytest.MonkeyPatch
    "Undone after the story."

    leftovers: list[Callable[[], None]]
    "Called when the story is over, so that a sin does not outlive its test."


Sin = Callable[[Sinner], None]


# The world of the scenarios, but leniently taken down


@asynccontextmanager
async def served(
    patch: pytest.MonkeyPatch, gemini: FakeGemini, ports: int
) -> AsyncIterator[Gateway]:
    for name, value in gemini.environment.items():
        patch.setenv(name, value)
    overrides: dict[str, dict[str, Any]] = {
        "sip": {"port": 0},
        "media": {"rtp_ports": rtp_ports(ports)},
        "admin": {"port": 0},
    }
    gateway = Gateway(load(dotenv=None, overrides=overrides))
    serving = asyncio.create_task(gateway.serve(), name="gateway")
    try:
        async with asyncio.timeout(STOP_S):
            await gateway.ready.wait()
        yield gateway
    finally:
        gateway.stop()
        _, running = await asyncio.wait([serving], timeout=STOP_S)
        for task in running:
            task.cancel()
        await asyncio.wait([serving])


def rtp_ports(count: int) -> tuple[int, int]:
    """So many; every worker of pytest-xdist has a range of its own."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    low = 16000 + worker * 100
    return low, low + 2 * (count - 1)


async def tell(story: Story, sinner: Sinner, *, deaf: bool | None = None, ports: int = 40) -> None:
    """Play the story; whatever the gateway has become, everything is closed at its end."""
    async with AsyncExitStack() as owned:
        witness = owned.enter_context(Witness(owned_types=OWNED_TYPES))
        fault = None
        if deaf is not None:
            fault = owned.enter_context(windows_udp(affects=is_of_the_gateway, deaf=deaf))
        gemini = await owned.enter_async_context(FakeGemini())
        gateway = await owned.enter_async_context(served(sinner.patch, gemini, ports))
        gate = await owned.enter_async_context(SimulatedGate(gateway=gateway.agent.local))
        for undo in (lambda: run_all(sinner.leftovers), sinner.patch.undo):
            owned.callback(undo)
        await witness.settle()
        witness.baseline()
        await story(Stage(gate, gemini, witness, fault))


def is_of_the_gateway(protocol: asyncio.BaseProtocol) -> bool:
    return type(protocol).__module__.startswith("voicegate.")


def run_all(actions: list[Callable[[], None]]) -> None:
    for act in actions:
        act()


def setup_fails(failure: str) -> Story:
    async def story(stage: Stage) -> None:
        await stories.d_set_up_fails(stage, failure)

    return story


async def our_bye_by_two_proxies(stage: Stage) -> None:
    nearest = f"Record-Route: <sip:{stage.gate.address};lr>"
    await stories.c_our_bye_is_right(stage, headers=(nearest, "Record-Route: <sip:far.invalid;lr>"))


# Cause A: clean-up that raises and is swallowed, and things kept for ever


def swallowed_in_the_voice(sinner: Sinner) -> None:
    """The old agent's own line: a TypeError, swallowed, and nothing below it is ever done."""

    async def hang_up(_self: GeminiConversation) -> None:
        with contextlib.suppress(Exception):
            nothing: Any = asyncio.get_running_loop().create_future()
            asyncio.run_coroutine_threadsafe(nothing, asyncio.get_running_loop())

    sinner.patch.setattr(GeminiConversation, "_hang_up", hang_up)


def swallowed_in_the_media(sinner: Sinner) -> None:
    """The socket's end is skipped by an error in the line before."""
    stop = MediaSession.stop

    def skip(self: MediaSession) -> None:
        sinner.leftovers.append(lambda: stop(self))
        with contextlib.suppress(Exception):
            raise RuntimeError("an error in the line before")

    sinner.patch.setattr(MediaSession, "stop", skip)


def thread_per_call(sinner: Sinner) -> None:
    """A loop in a thread of its own for each call; its stop is never reached."""
    run = Call.run

    async def run_with_thread(self: Call) -> Any:
        over = threading.Event()
        sinner.leftovers.append(over.set)
        threading.Thread(target=over.wait, name="asyncio-loop-of-call", daemon=True).start()
        return await run(self)

    sinner.patch.setattr(Call, "run", run_with_thread)


def call_object_kept(sinner: Sinner) -> None:
    """The dict of active calls that nobody empties, since it is the other module's."""
    active: list[Call] = []
    init = Call.__init__

    def keep(self: Call, *args: Any) -> None:
        init(self, *args)
        active.append(self)

    sinner.patch.setattr(Call, "__init__", keep)
    sinner.leftovers.append(active.clear)


# Cause B: BYE matched by address


def bye_by_address(sinner: Sinner) -> None:
    """The first call of that address that is not over, whatever dialog the BYE names."""
    receive = Endpoint._receive_request

    def receive_request(self: Endpoint, got: Received, now: float) -> None:
        found = [
            usage
            for usage in self._usages.values()
            if isinstance(usage, InviteUsage)
            and usage.state is not CallState.ENDED
            and usage.invite.source.host == got.source.host
        ]
        if got.request.method == "BYE" and found:
            found[0]._receive_bye(got, now)
        else:
            receive(self, got, now)

    sinner.patch.setattr(Endpoint, "_receive_request", receive_request)


# Cause C: our own BYE


def change_requests(sinner: Sinner, change: Callable[[Headers], Headers]) -> None:
    build = Dialog.request

    def request(self: Dialog, method: str, **kwargs: Any) -> Request:
        built = build(self, method, **kwargs)
        return replace(built, headers=change(built.headers))

    sinner.patch.setattr(Dialog, "request", request)


def tags_swapped(sinner: Sinner) -> None:
    """From and To as in the INVITE, though now it is we who send."""
    swapped = {"From": "To", "To": "From"}

    def change(headers: Headers) -> Headers:
        values = dict(headers)
        return tuple((name, values[swapped.get(name, name)]) for name, _ in headers)

    change_requests(sinner, change)


def cseq_999_each_time(sinner: Sinner) -> None:
    """A BYE and, to be safe, another BYE: both are number 999.

    One BYE of number 999 breaks no rule: our numbers may start anywhere. The next one must grow.
    """

    def send_bye(self: InviteUsage, now: float) -> None:
        core = self._core
        for _ in range(2):
            self.dialog._local_cseq = 998
            bye = self.dialog.request("BYE", branch=core.new_branch(), product=core.product)
            core.layer.start(bye, core.way_of(self.dialog), now, ignore)
        self._end(now)

    sinner.patch.setattr(InviteUsage, "_send_bye", send_bye)


def route_forgotten(sinner: Sinner) -> None:
    """The proxies of the INVITE are not in the way of the BYE."""

    def change(headers: Headers) -> Headers:
        return tuple(header for header in headers if header[0] != "Route")

    change_requests(sinner, change)


def bye_to_nobody(sinner: Sinner) -> None:
    """The BYE goes to SIP's usual port, wherever the gate may be."""

    def next_hop(self: Dialog, *_: object) -> Flow:
        return Flow(self.local, Address(self.signalling.host, 9))

    sinner.patch.setattr(Dialog, "next_hop", next_hop)


# Cause D: what a failed set-up leaves behind


def media_of_failed_call_kept(sinner: Sinner) -> None:
    """Only the end of an answered call closes its socket."""
    opened = Gateway.open_media
    kept: list[Any] = []

    @asynccontextmanager
    async def open_media(self: Gateway, dialog: IncomingCall) -> AsyncIterator[MediaSession]:
        context = opened(self, dialog)
        media = await context.__aenter__()
        kept.append(context)
        sinner.leftovers.append(media.stop)
        yield media
        kept.remove(context)
        await context.__aexit__(None, None, None)

    sinner.patch.setattr(Gateway, "open_media", open_media)


def port_of_failed_call_kept(sinner: Sinner) -> None:
    """The port of a call that was never answered is not given back."""
    start, take_back = MediaSession.start, PortPool.give_back
    answered: list[int] = []

    def note(self: MediaSession, *, early: bool = False) -> None:
        if not early:
            line = next(row for row in self.local_sdp.splitlines() if row.startswith(b"m=audio "))
            answered.append(int(line.split()[1]))
        start(self, early=early)

    def give_back(self: PortPool, port: int, now: float) -> None:
        if port in answered:
            answered.remove(port)
            take_back(self, port, now)

    sinner.patch.setattr(MediaSession, "start", note)
    sinner.patch.setattr(PortPool, "give_back", give_back)


def first_session_hears_all(sinner: Sinner) -> None:
    """RTP goes to the first session of that address; a failed set-up never takes its own away."""
    sessions: dict[str, list[MediaSession]] = {}
    attach, stop, hear = MediaSession.attach, MediaSession.stop, MediaSession.receive

    def note(self: MediaSession, *args: Any) -> None:
        attach(self, *args)
        assert self._remote is not None
        sessions.setdefault(self._remote[0], []).append(self)

    def forget(self: MediaSession) -> None:
        if self._started and self._remote is not None and not self._stopped:
            sessions[self._remote[0]].remove(self)
        stop(self)

    def receive(self: MediaSession, data: bytes, source: tuple[Any, ...]) -> None:
        first = sessions[source[0]][0]
        hear(first, data, first._remote or source)

    sinner.patch.setattr(MediaSession, "attach", note)
    sinner.patch.setattr(MediaSession, "stop", forget)
    sinner.patch.setattr(MediaSession, "receive", receive)
    sinner.leftovers.append(sessions.clear)


# Cause E: RTP of others


def no_source_check(sinner: Sinner) -> None:
    """Whoever sends to the port is the caller."""
    hear = MediaSession.receive

    def receive(self: MediaSession, data: bytes, _source: tuple[Any, ...]) -> None:
        hear(self, data, self._remote or ())

    sinner.patch.setattr(MediaSession, "receive", receive)


def address_without_port(sinner: Sinner) -> None:
    """The address is looked at, the port is not: all calls of a gate have one address."""
    hear = MediaSession.receive

    def receive(self: MediaSession, data: bytes, source: tuple[Any, ...]) -> None:
        same = self._remote is not None and source[0] == self._remote[0]
        hear(self, data, self._remote if same and self._remote else source)

    sinner.patch.setattr(MediaSession, "receive", receive)


def port_without_rest(sinner: Sinner) -> None:
    """The port given back last is lent next: late packets of the last call arrive in this one."""

    def give_back(self: PortPool, port: int, _now: float) -> None:
        self.return_unused(port)

    sinner.patch.setattr(PortPool, "give_back", give_back)


# Cause F: an ICMP error of the socket


def error_closes_sip(sinner: Sinner) -> None:
    """An error of the socket is taken for its end."""

    def error_received(self: UdpListener, _exc: Exception) -> None:
        assert self._transport is not None
        self._transport.close()

    sinner.patch.setattr(UdpListener, "error_received", error_received)


def error_ends_media(sinner: Sinner) -> None:
    """An error of the RTP socket ends the media, and the call does not know."""

    def error_received(self: RtpProtocol, _exc: Exception) -> None:
        assert isinstance(self._listener, MediaSession)
        self._listener._transport.abort()  # type: ignore[union-attr]

    sinner.patch.setattr(RtpProtocol, "error_received", error_received)


def stock_proactor(sinner: Sinner) -> None:
    """The stock Windows loop reads no more after the error, and nobody opens the socket anew."""

    async def keep(*_: object) -> None:
        await asyncio.Event().wait()

    sinner.patch.setattr(Ear, "keep", keep)


NOT_HEARD = "NOT proven to be heard"
LEFT = "left behind: "
SELECTOR, PROACTOR = False, True


@dataclass(frozen=True)
class Case:
    """A sin, the story that must see it, and the words in which it says so."""

    sin: Sin
    story: Story
    error: type[Exception]
    words: str
    deaf: bool | None = None
    "Whether the gateway's sockets read no more after an ICMP error; None: they hear of none."

    ports: int = 40
    "RTP ports of the gateway."


a, b, c = (
    stories.a_clean_up_in_trouble,
    stories.b_bye_of_call_1_in_call_2,
    stories.c_our_bye_is_right,
)
refused = setup_fails("model-refuses")
others, at_once, reset = (
    stories.e_rtp_of_others,
    stories.e_calls_at_once,
    stories.f_reset_in_mid_call,
)

CASES = {
    "A-voice": Case(swallowed_in_the_voice, a, LeakFound, f"tasks {LEFT}.*call-1/converse/gemini"),
    "A-media": Case(swallowed_in_the_media, a, LeakFound, f"sockets {LEFT}udp"),
    "A-thread": Case(thread_per_call, a, LeakFound, f"threads {LEFT}asyncio-loop-of-call"),
    "A-call-kept": Case(call_object_kept, a, LeakFound, f"objects {LEFT}.*Call"),
    "B-by-address": Case(bye_by_address, b, AssertionError, f"call 2 .* {NOT_HEARD}"),
    "C-tags": Case(tags_swapped, c, AssertionError, "up> not ended within"),
    "C-cseq": Case(cseq_999_each_time, c, AssertionError, "cseq-growth"),
    "C-route": Case(route_forgotten, our_bye_by_two_proxies, AssertionError, "route-set"),
    "C-nobody": Case(bye_to_nobody, c, AssertionError, "up> not ended within"),
    "D-media-kept": Case(media_of_failed_call_kept, refused, LeakFound, f"sockets {LEFT}udp"),
    "D-port-kept": Case(
        port_of_failed_call_kept, stories.d_no_port_is_free, CallRefused, "503", ports=2
    ),
    "D-swallows": Case(first_session_hears_all, refused, AssertionError, NOT_HEARD),
    "E-no-source": Case(no_source_check, others, AssertionError, "FOREIGN .identity 1 "),
    "E-no-port": Case(address_without_port, others, AssertionError, "FOREIGN .identity 1 "),
    "E-no-rest": Case(port_without_rest, others, AssertionError, "without a rest"),
    "E-one-for-all": Case(first_session_hears_all, at_once, AssertionError, NOT_HEARD),
    "F-sip-closed": Case(error_closes_sip, reset, NoAnswer, "no answer to BYE", SELECTOR),
    "F-rtp-closed": Case(error_ends_media, reset, AssertionError, NOT_HEARD, SELECTOR),
    "F-deaf": Case(stock_proactor, reset, NoAnswer, "no answer to BYE", PROACTOR),
}


@pytest.mark.parametrize("name", CASES)
def test_the_story_sees_the_sin(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    case = CASES[name]
    sinner = Sinner(monkeypatch, [])
    case.sin(sinner)
    with pytest.raises(case.error, match=case.words):
        run_virtual(tell(case.story, sinner, deaf=case.deaf, ports=case.ports))


@pytest.mark.parametrize("name", ["A-voice", "B-by-address", "C-route", "E-no-port", "F-deaf"])
def test_without_its_sin_the_story_ends_well(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    case, honest = CASES[name], Sinner(monkeypatch, [])
    deaf = None if case.deaf is None else SELECTOR
    run_virtual(tell(case.story, honest, deaf=deaf, ports=case.ports))
