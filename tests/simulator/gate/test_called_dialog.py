import random

import pytest

from simulator.gate.called_dialog import CalledDialog, user_of
from simulator.gate.profile import load_profile
from simulator.gate.response import reply
from simulator.gate.wire import Address, read
from tests.simulator.gate.messages import GATE, GATEWAY, INVITE, message


def begun(profile: str = "chan_sip") -> CalledDialog:
    dialog = CalledDialog(
        load_profile(profile), random.Random(1), local=GATE, gateway=Address("", 0)
    )
    dialog.begin(message(INVITE), GATEWAY)
    return dialog


@pytest.mark.parametrize("profile", ["chan_sip", "pjsip", "freeswitch", "kamailio", "goip"])
def test_the_answer_makes_the_dialog_and_its_requests_swap_from_and_to(profile: str) -> None:
    dialog = begun(profile)
    invite = message(INVITE)
    ok = read(dialog.answer(invite, GATEWAY, reply(200, body=b"v=0\r\n")))
    assert ok.tag("to") == dialog.local_tag
    assert dialog.facts.contact_uri in ok.many("contact")[0]
    bye = read(dialog.request("BYE"))
    assert (bye.get("from"), bye.get("to")) == (ok.get("to"), invite.get("from"))
    assert bye.call_id == invite.call_id
    assert bye.request_uri == "sip:100@127.0.0.1:5070"
    # RFC 3261 12.1.1: the route set of a UAS is the Record-Route in its order.
    assert bye.many("route") == ["<sip:127.0.0.1:5071;lr>"]
    assert dialog.target_address == Address("127.0.0.1", 5071)
    assert read(dialog.request("INFO")).cseq[0] == bye.cseq[0] + 1


def test_a_proxy_of_its_own_is_added_on_top_and_due_in_requests() -> None:
    dialog = begun()
    ok = read(dialog.answer(message(INVITE), GATEWAY, reply(200), ["<sip:p;lr>"]))
    assert ok.many("record-route") == ["<sip:p;lr>", "<sip:127.0.0.1:5071;lr>"]
    assert dialog.facts.record_route == ["<sip:p;lr>"]


def test_users() -> None:
    assert user_of("sip:100@h:5060;x=y") == "100"
    assert user_of("sip:100:secret@h") == "100"
    assert user_of("sip:h:5060") == ""
    assert user_of("tel:100") == ""
