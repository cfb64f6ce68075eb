"""Any order of messages within a call, to a whole gateway with a model: nothing stays of it.

The protocol alone is searched in sip/test_endpoint_random.py; here dialogs, tasks, sockets, RTP
ports and sessions of the model are counted when the stories are over. Several are told at once, to
a model that is quick or slow: waiting for their ends is what costs time.
"""

import asyncio
from contextlib import AsyncExitStack

import pytest
from hypothesis import HealthCheck, Phase, example, given, seed, settings
from hypothesis import strategies as st

from scenarios.inprocess import OWNED_TYPES, serving
from scenarios.raw_peer import RawPeer, raw_peer
from simulator.clock import run_virtual
from simulator.gemini.server import FakeGemini
from simulator.witness.witness import Witness

METHODS = (
    "INVITE",
    "ACK",
    "BYE",
    "CANCEL",
    "INFO",
    "UPDATE",
    "REFER",
    "NOTIFY",
    "OPTIONS",
    "PRACK",
)
EXTRA = {"REFER": {"Refer-To": "<sip:300@127.0.0.1:9>"}, "NOTIFY": {"Event": "refer"}}
HOLD = {"RTP/AVP 8 0 101": "RTP/AVP 8 0 101\na=inactive"}
WAITS_S = (0.3, 1.5, 33.0)
EXAMPLES, STORIES, STEPS_MAX, LIMIT_S = 3, 12, 8, 2000.0
SETTINGS = {"call": {"no_speech_timeout_s": 1.0, "max_duration_s": 20.0}}
"""Nobody speaks: what is answered and not ended is soon over, and costs few packets. A call that is
left on hold is a call, and ends by its length."""
SLOW_S = 1.0
SETTLED_S = 150.0
"""20 s on hold or no ACK by 32 s, then the BYE's own 32 s and the dialog's 32 s after it."""

TURNS = (
    ("ACK", "in", False),
    ("CANCEL", "out", False),
    ("BYE", "in", False),
    ("REFER", "in", False),
    ("INVITE", "in", True),
)
"""What makes a call another one; else most stories would be of calls that are never up."""

anything = st.tuples(st.sampled_from(METHODS), st.sampled_from(("in", "out")), st.booleans())
waits = st.tuples(st.just("wait"), st.sampled_from(WAITS_S))
steps: st.SearchStrategy[tuple[object, ...]]
steps = st.one_of(st.sampled_from(TURNS), anything, anything, waits)
Script = list[tuple[object, ...]]
KNOWN: list[Script] = [
    [("wait", 8.0), ("ACK", "in", False)],  # an ACK behind our own hang-up
    [("wait", 33.0)],
    [("CANCEL", "out", False)],
    [("BYE", "in", False), ("ACK", "in", False)],
    [("ACK", "in", False), ("REFER", "in", False), ("BYE", "in", False)],
    [("ACK", "in", False), ("INVITE", "in", True)],
]
"""Told each time, whatever the seed: what each leaves undone has been found here when broken."""
scripts = st.lists(steps, min_size=1, max_size=STEPS_MAX)


class Talk:
    """One Call-ID, and the tag that the gateway gave it."""

    def __init__(self, peer: RawPeer) -> None:
        self.peer = peer
        self.cseq = 0
        self.invite: dict[str, str | None] = {}

    @property
    def tag(self) -> str:
        given = [(one.get("to") or "").partition(";tag=")[2] for one in self.peer.heard]
        return next((tag for tag in reversed(given) if tag), "")

    def send(self, method: str, where: str, is_hold: bool) -> None:
        peer, own = self.peer, self.peer.own
        self.cseq += method not in ("ACK", "CANCEL")
        to = f"<sip:1000@{peer.gateway}>"
        changes: dict[str, str | None] = {
            "From": f"<sip:raw@{own}>;tag=one",
            "Call-ID": f"random@{own}",
            "CSeq": f"{max(self.cseq, 1)} {method}",
            "To": f"{to};tag={self.tag}" if where == "in" and self.tag else to,
            **EXTRA.get(method, {}),
        }
        if method == "CANCEL":
            changes |= {"Via": self.invite.get("Via"), "To": to}
        if method == "INVITE":
            via = f"SIP/2.0/UDP {own};branch=z9hG4bKr{self.cseq};rport"
            self.invite = {"Via": via}
            changes |= self.invite
        offers = method in ("INVITE", "UPDATE")
        body = peer.offer(**(HOLD if is_hold else {})) if offers else b""
        peer.send(peer.request(method, changes, body=body))


async def play(stories: list[Script], slow: bool) -> None:
    with Witness(owned_types=OWNED_TYPES) as witness:
        async with FakeGemini() as gemini:
            if slow:
                gemini.stall_setup(SLOW_S)
            with pytest.MonkeyPatch.context() as patch:
                for name, value in gemini.environment.items():
                    patch.setenv(name, value)
                await told(stories, gemini, witness)
        assert not witness.errors, witness.errors


async def told(stories: list[Script], gemini: FakeGemini, witness: Witness) -> None:
    async with serving(SETTINGS) as gateway, AsyncExitStack() as owned:
        place = gateway.agent.local
        peers = [await owned.enter_async_context(raw_peer(place)) for _ in stories]
        witness.baseline()
        await asyncio.gather(*map(tell, peers, stories))
        await asyncio.sleep(SETTLED_S)
        assert gateway.calls == {}
        assert (gateway.agent.dialogs, gateway.agent.transactions) == (0, 0)
        assert (gateway.ports.lent, gateway.voice.open_conversations) == (0, 0)
        assert gemini.open_sessions == 0
        await witness.settle()
        witness.check(after=f"{stories}")


async def tell(peer: RawPeer, script: Script) -> None:
    talk = Talk(peer)
    talk.send("INVITE", "out", False)
    for kind, *rest in script:
        if kind == "wait":
            await asyncio.sleep(float(str(rest[0])))
        else:
            talk.send(str(kind), str(rest[0]), bool(rest[1]))
            await asyncio.sleep(0.01)


def test_random_orders_within_a_call_leave_nothing(pytestconfig: pytest.Config) -> None:
    @seed(pytestconfig.getoption("--seed"))
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        # none to make them shorter: each try takes seconds
        phases=(Phase.explicit, Phase.generate),
        suppress_health_check=list(HealthCheck),
    )
    @given(st.lists(scripts, min_size=STORIES, max_size=STORIES), st.booleans())
    @example(KNOWN, False)
    @example(KNOWN, True)
    def search(stories: list[Script], slow: bool) -> None:
        run_virtual(play(stories, slow), LIMIT_S)

    search()
