"""Which message belongs to which transaction."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from voicegate.sip.address import Flow
from voicegate.sip.layer import TransactionLayer, sent_by, server_key
from voicegate.sip.message import Received, Request, Response, parse
from voicegate.sip.transaction import State

if TYPE_CHECKING:
    from tests.voicegate.sip.conftest import Rig


def a_request(rig: Rig, method: str = "INVITE", **fields: str) -> Request:
    message = parse(rig.request(method, **fields))  # type: ignore[arg-type]
    assert isinstance(message, Request)
    return message


def an_answer(rig: Rig, request: Request, status: int) -> Response:
    message = parse(rig.reply(request, status))
    assert isinstance(message, Response)
    return message


def a_layer(rig: Rig, limit: int = 10) -> TransactionLayer:
    return TransactionLayer(Counter(), limit, rig.local_towards)


def test_a_retransmission_has_the_key_of_its_request(rig: Rig) -> None:
    assert server_key(a_request(rig)) == server_key(a_request(rig))
    assert server_key(a_request(rig, "ACK", branch="z9hG4bKx"), "INVITE") == server_key(
        a_request(rig, branch="z9hG4bKx")
    )


def test_one_branch_for_all_calls_does_not_merge_them(rig: Rig) -> None:
    keys = [server_key(a_request(rig, call=call, branch="z9hG4bKx")) for call in ("a", "b")]
    assert keys[0] != keys[1]


def test_a_branch_without_the_cookie_is_matched_the_old_way(rig: Rig) -> None:
    for branch in ("z9hG4bK", "old", "1"):
        assert server_key(a_request(rig, branch=branch)) == server_key(
            a_request(rig, branch=branch)
        )
        other = a_request(rig, branch=branch, from_tag="other")
        assert server_key(a_request(rig, branch=branch)) != server_key(other)


def test_a_refused_invite_of_ours_is_acknowledged_by_its_transaction(rig: Rig) -> None:
    layer = a_layer(rig)
    results: list[Response | None] = []
    invite = a_request(rig)
    layer.start(invite, Flow(rig.local, rig.peer), 0.0, lambda got, _now: results.append(got))
    assert layer.receive_response(an_answer(rig, invite, 180), 0.1)
    assert layer.unsettled == 1
    assert layer.receive_response(an_answer(rig, invite, 486), 0.2)
    ack = parse(layer.outbox[-1][0])
    assert isinstance(ack, Request)
    assert (ack.method, ack.uri, str(ack.cseq)) == ("ACK", invite.uri, "1 ACK")
    assert ack.via == sent_by(invite, rig.local).via
    assert ack.header("From") == invite.header("From")
    assert [got.status for got in results if got is not None] == [180, 486]
    assert layer.unsettled == 0


def test_a_response_to_nothing_is_told_so(rig: Rig) -> None:
    layer = a_layer(rig)
    bye = a_request(rig, "BYE")
    assert not layer.receive_response(an_answer(rig, bye, 200), 0.0)
    layer.start(bye, Flow(rig.local, rig.peer), 0.0, lambda _got, _now: None)
    invite = a_request(rig, branch=bye.via.branch)
    assert not layer.receive_response(an_answer(rig, invite, 200), 0.0)
    assert layer.receive_response(an_answer(rig, bye, 200), 0.0)


def test_a_full_layer_answers_and_remembers_nothing(rig: Rig) -> None:
    counters: Counter[str] = Counter()
    layer = TransactionLayer(counters, 1, rig.local_towards)
    for call in ("a", "b"):
        bye = a_request(rig, "BYE", call=call)
        layer.answer(Received(bye, rig.peer, rig.local), an_answer(rig, bye, 200), 0.0)
    assert len(layer.outbox) == 2
    assert len(layer) == 1
    assert counters["dropped_transactions"] == 1
    layer.timers.fire(32.0)
    assert len(layer) == 0


def test_our_own_requests_find_room_in_a_full_layer(rig: Rig) -> None:
    layer = a_layer(rig, 0)
    transaction = layer.start(
        a_request(rig, "BYE"), Flow(rig.local, rig.peer), 0.0, lambda _got, _now: None
    )
    assert transaction.state is State.TRYING
    assert len(layer.outbox) == 1
