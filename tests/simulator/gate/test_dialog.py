import random

import pytest

from simulator.gate.dialog import CallerDialog
from simulator.gate.profile import load_profile
from simulator.gate.response import make_response, reply
from simulator.gate.wire import Address, read
from tests.simulator.gate.messages import BYE, GATE, GATEWAY, OK, message


def answered(*changes: tuple[str, str]) -> CallerDialog:
    dialog = CallerDialog(
        load_profile("chan_sip"),
        random.Random(1),
        local=GATE,
        gateway=GATEWAY,
        number="1000",
        caller="100",
    )
    dialog.invite(b"offer")
    dialog.learn(message(OK, *changes))
    return dialog


def test_ack_and_bye_follow_the_answer() -> None:
    dialog = answered()
    ack, bye = read(dialog.ack(message(OK))), read(dialog.request("BYE"))
    for request in (ack, bye):
        assert request.request_uri == "sip:voicegate@127.0.0.1:5060"
        assert request.tag("to") == "gw1"
        assert request.tag("from") == dialog.local_tag
        assert request.many("route") == ["<sip:127.0.0.1:5071;lr>"]
    assert ack.cseq == (102, "ACK")
    assert bye.cseq == (dialog.cseq, "BYE")
    assert ack.branch != bye.branch


def test_routes_are_reversed_and_the_nearest_is_the_target() -> None:
    dialog = answered(("Record-Route: ", "Record-Route: <sip:127.0.0.9:9;lr>, "))
    bye = read(dialog.request("BYE"))
    assert bye.many("route") == ["<sip:127.0.0.1:5071;lr>", "<sip:127.0.0.9:9;lr>"]
    assert dialog.target_address == Address("127.0.0.1", 5071)


@pytest.mark.parametrize("contact", ["0.0.0.0:5060", "example.com", "127.0.0.1:0"])
def test_a_useless_contact_leaves_the_gateway_as_target(contact: str) -> None:
    routes = ("Record-Route: <sip:127.0.0.1:5071;lr>\r\n", "")
    dialog = answered(routes, ("voicegate@127.0.0.1:5060", f"voicegate@{contact}"))
    assert dialog.target_address == GATEWAY


def test_cancel_and_the_ack_of_a_refusal_repeat_the_invite() -> None:
    dialog = answered()
    invite = message(
        "INVITE sip:1000@127.0.0.1:5060 SIP/2.0\r\n"
        "Via: SIP/2.0/UDP 127.0.0.1:5070;branch=z9hG4bKq\r\n"
        "To: <sip:1000@127.0.0.1:5060>\r\nCSeq: 7 INVITE\r\n\r\n"
    )
    cancel = read(dialog.cancel(invite))
    ack = read(dialog.ack_refusal(invite, message(OK)))
    for request, method in ((cancel, "CANCEL"), (ack, "ACK")):
        assert request.branch == "z9hG4bKq"
        assert request.request_uri == invite.request_uri
        assert request.cseq == (7, method)
    assert cancel.tag("to") is None
    assert ack.tag("to") == "gw1"


def test_a_reinvite_stays_in_the_dialog() -> None:
    dialog = answered()
    before = dialog.cseq
    again = read(dialog.reinvite(b"offer"))
    assert again.tag("to") == "gw1"
    assert again.cseq == (before + 1, "INVITE")
    assert dialog.facts.contact_uri == "sip:100@127.0.0.1:5070"


def test_two_gates_with_one_seed_have_calls_of_their_own() -> None:
    one, two = (
        CallerDialog(
            load_profile("goip"),
            random.Random(0),
            local=Address("127.0.0.1", port),
            gateway=GATEWAY,
            number="1",
            caller="2",
        )
        for port in (5070, 5072)
    )
    assert one.call_id != two.call_id


def test_a_response_repeats_the_request() -> None:
    bye = message(BYE, (";branch", ";rport;branch"))
    data = make_response(
        load_profile("chan_sip"), bye, Address("127.0.0.1", 9), reply(200), local=GATE
    )
    response = read(data)
    assert response.many("via") == [
        "SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bKbye;received=127.0.0.1;rport=9"
    ]
    for name in ("from", "to", "call-id", "cseq"):
        assert response.get(name) == bye.get(name)
    octets = read(message(BYE).data.replace("\u00fc".encode(), b"\xfc"))
    assert b"J\xfcrgen" in make_response(
        load_profile("chan_sip"), octets, Address("127.0.0.1", 9), reply(200), local=GATE
    )
    moved = make_response(
        load_profile("chan_sip"), message(BYE), Address("127.0.0.9", 9), reply(200), local=GATE
    )
    assert ";received=127.0.0.9" in read(moved).many("via")[0]
