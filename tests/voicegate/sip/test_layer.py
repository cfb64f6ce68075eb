"""Which message belongs to which transaction."""

from __future__ import annotations

from collections import Counter
from functools import partial
from typing import TYPE_CHECKING

from voicegate.sip.address import Address, Flow
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


def sent_requests(layer: TransactionLayer) -> list[tuple[str, str, str]]:
    """Of all that waits: the transport of the Via, of our end and of the peer's."""
    found = []
    while layer.outbox:
        data, flow = layer.outbox.popleft()
        via = parse(data).via
        assert str(Address(via.host, via.port or 0)) == str(flow.local)
        found.append((via.transport, flow.local.transport, flow.peer.transport))
    return found


def test_over_a_connection_nothing_is_resent_and_patience_is_the_same(rig: Rig) -> None:
    results: list[Response | None] = []
    layer = a_layer(rig)
    ends = Flow(rig.local._replace(transport="tcp"), rig.peer._replace(transport="tcp"))
    layer.start(a_request(rig, "BYE"), ends, 0.0, lambda got, _now: results.append(got))
    layer.timers.fire(31.9)
    assert sent_requests(layer) == [("TCP", "tcp", "tcp")]
    layer.timers.fire(32.0)
    assert results == [None]
    refused = Received(a_request(rig), ends.peer, ends.local)
    layer.respond(layer.serve(refused, 0.0), an_answer(rig, refused.request, 486), 0.0)
    layer.timers.fire(31.0)
    assert len(layer.outbox) == 1


def a_long_request(rig: Rig) -> Request:
    request = a_request(rig, "MESSAGE")
    return Request(request.method, request.uri, request.headers, b"x" * 1300)


def test_a_request_too_long_for_a_packet_goes_by_tcp_where_we_have_it(rig: Rig) -> None:
    flow = Flow(rig.local, rig.peer)
    for transports, way in ((["udp"], "udp"), (["udp", "tcp"], "tcp")):
        rig.transports = transports
        layer = a_layer(rig)
        layer.start(a_long_request(rig), flow, 0.0, lambda _got, _now: None)
        layer.start(a_request(rig, "BYE"), flow, 0.0, lambda _got, _now: None)
        assert sent_requests(layer) == [(way.upper(), way, way), ("UDP", "udp", "udp")]


def test_where_the_peer_has_no_tcp_the_long_request_goes_by_udp_after_all(rig: Rig) -> None:
    rig.transports = ["udp", "tcp"]
    results: list[Response | None] = []
    layer = a_layer(rig)
    request = a_long_request(rig)
    layer.start(request, Flow(rig.local, rig.peer), 0.0, lambda got, _now: results.append(got))
    layer.lose(rig.peer._replace(transport="tcp"), 1.0)
    layer.timers.fire(1.5)
    assert sent_requests(layer) == [
        ("TCP", "tcp", "tcp"),
        ("UDP", "udp", "udp"),
        ("UDP", "udp", "udp"),
    ]
    assert layer.receive_response(an_answer(rig, request, 200), 2.0)
    assert [got.status for got in results if got] == [200]
    layer.timers.fire(40.0)
    assert len(layer) == 0


def test_a_lost_connection_ends_what_waits_on_it_at_once_and_nothing_else(rig: Rig) -> None:
    tcp = rig.peer._replace(transport="tcp")
    local = rig.local._replace(transport="tcp")
    results: list[str] = []

    def told(name: str, got: Response | None, _now: float) -> None:
        results.append(f"{name} {got}")

    layer = a_layer(rig)
    flows = {"by": Flow(local, tcp), "home": Flow(local, tcp._replace(port=1), tcp)}
    flows |= {"other": Flow(local, tcp._replace(port=2)), "udp": Flow(rig.local, rig.peer)}
    for name, flow in flows.items():
        request = a_request(rig, "BYE", branch=f"z9hG4bK{name}")
        layer.start(request, flow, 0.0, partial(told, name))
    layer.receive_response(an_answer(rig, a_request(rig, "BYE", branch="z9hG4bKother"), 200), 0.0)
    layer.lose(tcp._replace(port=2), 0.5)
    layer.lose(tcp, 1.0)
    assert results[1:] == ["by None", "home None"]
    assert layer.unsettled == 1


def test_a_request_that_met_the_end_of_its_connection_is_sent_by_a_new_one(rig: Rig) -> None:
    tcp, home = rig.peer._replace(transport="tcp"), rig.peer._replace(transport="tcp", port=5060)
    layer = a_layer(rig)
    results: list[Response | None] = []
    flow = Flow(rig.local._replace(transport="tcp"), tcp, home)
    layer.start(a_request(rig, "BYE"), flow, 0.0, lambda got, _now: results.append(got))
    layer.lose(tcp, 0.1)
    assert [flow.peer for _, flow in layer.outbox] == [tcp, home]
    assert results == []
    layer.lose(home, 0.2)
    assert (results, len(layer)) == ([None], 0)
