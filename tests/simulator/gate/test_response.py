import pytest

from simulator.gate.judge import judge_message
from simulator.gate.profile import load_profile
from simulator.gate.response import make_response, reply
from simulator.gate.wire import Address, read
from tests.simulator.gate.messages import BYE, GATE, INVITE, message

SOURCE = Address("127.0.0.1", 5060)
PROFILES = ["chan_sip", "pjsip", "freeswitch", "kamailio", "goip"]


@pytest.mark.parametrize("profile", PROFILES)
def test_headers_and_contact_of_an_answer_are_told(profile: str) -> None:
    answer = reply(200, "X-One: 1", "X-Two: 2", contact="<sip:a@h>;expires=5")
    response = read(
        make_response(load_profile(profile), message(INVITE), SOURCE, answer, local=GATE)
    )
    assert judge_message(response) == []
    assert (response.get("x-one"), response.get("x-two")) == ("1", "2")
    assert response.many("contact") == ["<sip:a@h>;expires=5"]
    assert response.many("record-route") == ["<sip:127.0.0.1:5071;lr>"]
    bare = reply(486, contact="")
    response = read(make_response(load_profile(profile), message(BYE), SOURCE, bare, local=GATE))
    assert response.reason == "Busy Here"
    assert response.all("contact") == []
    assert response.body == b""


def test_a_status_without_a_usual_name_has_one_all_the_same() -> None:
    assert reply(499).reason == "Other"
    assert reply(183).reason == "Session Progress"
