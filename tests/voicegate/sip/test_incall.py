"""What holds in a call that is up, whichever side began it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from voicegate.sip.events import CallHungUp, InfoReceived, OfferReceived
from voicegate.sip.message import Request

if TYPE_CHECKING:
    from tests.voicegate.sip.conftest import Message, Rig
    from voicegate.sip.events import DialogId


def brief(messages: list[Message]) -> list[str]:
    return [m.method if isinstance(m, Request) else str(m.status) for m in messages]


@pytest.fixture(params=["theirs", "ours"])
def names(rig: Rig, request: pytest.FixtureRequest) -> tuple[DialogId, DialogId]:
    """How our user and how the peer names a call that is up."""
    if request.param == "ours":
        return rig.connected()
    dialog = rig.confirmed()
    return dialog, dialog


def test_info_update_and_options_are_answered(rig: Rig, names: tuple[DialogId, DialogId]) -> None:
    name, inside = names
    assert brief(rig.receive(rig.within(inside, "INFO", cseq=20, body=b"x"))) == ["200"]
    assert brief(rig.receive(rig.within(inside, "OPTIONS", cseq=21))) == ["200"]
    assert brief(rig.receive(rig.within(inside, "UPDATE", cseq=22))) == ["200"]
    assert rig.events() == [InfoReceived(name, "application/sdp", b"x")]


def test_a_reinvite_is_offered_and_answered(rig: Rig, names: tuple[DialogId, DialogId]) -> None:
    name, inside = names
    rig.receive(rig.within(inside, "INVITE", cseq=20, body=b"hold"))
    assert rig.events() == [OfferReceived(name, b"hold")]
    rig.endpoint.answer_offer(name, b"held", 0.0)
    (answer,) = rig.sent()
    assert answer.body == b"held"
    rig.receive(rig.ack(inside, cseq=20))
    assert rig.endpoint.unsettled == 0


def test_an_end_of_either_side_releases_all(rig: Rig, names: tuple[DialogId, DialogId]) -> None:
    name, inside = names
    rig.receive(rig.within(inside, "BYE", cseq=20))
    assert rig.events() == [CallHungUp(name)]
    assert not rig.endpoint.hang_up(name, 0.0)
    rig.run(100.0)
    assert (rig.endpoint.dialogs, rig.endpoint.transactions) == (0, 0)
