"""Any order of messages and commands: nothing raises, and time releases everything."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from voicegate.sip.events import CallReceived, DialogId
from voicegate.sip.message import Request

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.voicegate.sip.conftest import Rig

METHODS = [
    *("INVITE", "ACK", "BYE", "CANCEL", "INFO", "OPTIONS", "PRACK", "UPDATE", "REFER", "NOTIFY"),
]
COMMANDS = [
    *("ring", "answer", "reject", "hang_up", "abort", "answer_offer", "refuse_offer"),
    *("dial", "refer", "follow", "decline", "tell"),
]
EXTRAS = {
    "INVITE": ["Supported: timer", "Session-Expires: 90;refresher=uas"],
    "UPDATE": ["Supported: timer", "Session-Expires: 90;refresher=uac"],
    "REFER": ["Refer-To: <sip:300@127.0.0.1:5061>"],
    "NOTIFY": ["Event: refer", "Subscription-State: active"],
}
BODIES = {"INVITE": b"offer", "UPDATE": b"offer", "NOTIFY": b"SIP/2.0 200 OK"}

steps = st.one_of(
    st.tuples(
        st.just("request"),
        st.sampled_from(METHODS),
        st.sampled_from(["a", "b"]),
        st.integers(1, 4),
        st.booleans(),
        st.sampled_from([None, "z9hG4bKx", "old"]),
        st.booleans(),
    ),
    st.tuples(st.just("command"), st.sampled_from(COMMANDS), st.integers(0, 3)),
    st.tuples(
        st.just("reply"),
        st.sampled_from([100, 183, 200, 202, 422, 481, 491, 503]),
        st.integers(0, 9),
        st.sampled_from(["peer", "fork"]),
    ),
    st.tuples(st.just("wait"), st.sampled_from([0.0, 0.3, 0.5, 4.0, 31.5, 32.0, 45.0, 90.0])),
)


class Story:
    """One random story of two calls of the peer and any of ours, and what was seen of it."""

    def __init__(self, rig: Rig) -> None:
        self.rig = rig
        self.dialogs: list[DialogId] = []
        self.ours: list[Request] = []

    def take(self, step: tuple[object, ...]) -> None:
        kind, *rest = step
        getattr(self, kind)(*rest)  # type: ignore[call-overload]
        self.look([message for _, message in self.rig.run(self.rig.now)])

    def look(self, sent: list[object]) -> None:
        self.ours += [message for message in sent if isinstance(message, Request)]
        for event in self.rig.events():
            if isinstance(event, CallReceived):
                self.dialogs.append(event.dialog)

    def request(
        self, method: str, call: str, cseq: int, inside: bool, branch: str | None, full: bool
    ) -> None:
        known = [dialog for dialog in self.dialogs if call in (dialog.call_id, "b")]
        tag = known[-1].local_tag if inside and known else ""
        data = self.rig.request(
            method,
            call=known[-1].call_id if inside and known else call,
            cseq=cseq,
            to_tag=tag,
            branch=branch,
            extra=EXTRAS.get(method, []) if full else [],
            body=BODIES.get(method, b"") if full else b"",
        )
        self.look(list(self.rig.receive(data)))

    def command(self, name: str, which: int) -> None:
        if name == "dial":
            self.dialogs.append(self.rig.endpoint.call(self.rig.plan(), self.rig.now))
        if not self.dialogs:
            return
        dialog, now = self.dialogs[which % len(self.dialogs)], self.rig.now
        endpoint = self.rig.endpoint
        commands: dict[str, Callable[[], object]] = {
            "ring": lambda: endpoint.ring(dialog, now),
            "answer": lambda: endpoint.answer(dialog, b"sdp", now),
            "reject": lambda: endpoint.reject(dialog, 486, now),
            "hang_up": lambda: endpoint.hang_up(dialog, now),
            "abort": lambda: endpoint.abort(dialog, now),
            "answer_offer": lambda: endpoint.answer_offer(dialog, b"sdp", now),
            "refuse_offer": lambda: endpoint.answer_offer(dialog, None, now),
        }
        usage = endpoint.usage(dialog)
        if usage is not None and usage.is_named:
            commands |= {
                "refer": lambda: usage.refer("sip:300@127.0.0.1", now),
                "follow": lambda: usage.referrals.answer(202, now),
                "decline": lambda: usage.referrals.answer(603, now),
                "tell": lambda: usage.referrals.tell(200, now),
            }
        if name in commands:
            commands[name]()

    def reply(self, status: int, which: int, tag: str) -> None:
        if self.ours:
            ours = self.ours[-1 - which % len(self.ours)]
            extra = ("Min-SE: 200", "Session-Expires: 90;refresher=uac")
            own = tag if not ours.to.tag else ""
            data = self.rig.reply(ours, status, tag=own, extra=extra)
            self.look(list(self.rig.receive(data)))

    def wait(self, seconds: float) -> None:
        self.look([message for _, message in self.rig.run(self.rig.now + seconds)])


def end_of(story: Story) -> None:
    """Hang up everything; 32 s for the ACK or the CANCEL, 32 s for the BYE, 32 s for what comes
    late."""
    rig = story.rig
    for dialog in story.dialogs:
        rig.endpoint.abort(dialog, rig.now)
    rig.run(rig.now + 100.0)
    assert (rig.endpoint.dialogs, rig.endpoint.transactions) == (0, 0)
    assert rig.endpoint.get_timer() is None
    assert rig.endpoint.unsettled == 0


def test_random_stories_end_at_baseline(rig: Rig, small_rig: Rig) -> None:
    makers = (type(rig), lambda: type(rig)(max_dialogs=1, max_transactions=2))

    @settings(max_examples=250, deadline=None, derandomize=True)
    @given(which=st.integers(0, 1), script=st.lists(steps, max_size=30))
    def play(which: int, script: list[tuple[object, ...]]) -> None:
        story = Story(makers[which]())
        for step in script:
            story.take(step)
        end_of(story)

    play()
