import random

import pytest

from simulator.gate.dialog import CallerDialog
from simulator.gate.judge import judge_message
from simulator.gate.profile import fill, load_profile
from simulator.gate.response import reply
from simulator.gate.sdp import read_sdp
from simulator.gate.wire import Address, read

NAMES = ["chan_sip", "pjsip", "freeswitch", "kamailio", "goip"]


def dialog(name: str, **quirks: object) -> CallerDialog:
    return CallerDialog(
        load_profile(name).with_quirks(**quirks),
        random.Random(1),
        local=Address("127.0.0.1", 5070),
        gateway=Address("127.0.0.1", 5060),
        number="1000",
        caller="100",
    )


@pytest.mark.parametrize("name", NAMES)
def test_each_gate_sends_what_its_own_judge_would_accept(name: str) -> None:
    caller = dialog(name)
    sdp = caller.sdp(10000)
    invite = caller.invite(sdp)
    assert judge_message(read(invite)) == []
    assert judge_message(read(caller.cancel(read(invite)))) == []
    for method in ("BYE", "OPTIONS", "INFO"):
        assert judge_message(read(caller.request(method))) == []
    answer = caller.response(read(invite), Address("127.0.0.1", 5060), reply(200, body=sdp))
    assert judge_message(read(answer)) == []
    audio = read_sdp(sdp).audio
    assert audio is not None
    assert audio.port == 10000
    assert audio.telephone_event == 101


def test_each_gate_speaks_its_own_way() -> None:
    assert b"X-Asterisk-Linkedid: " in dialog("chan_sip").invite(b"x")
    assert read_sdp(dialog("chan_sip").sdp(2)).media[0].formats == ("8", "0", "101")
    goip = dialog("goip")
    assert b"s=DBL Session" in goip.sdp(2)
    assert b"o=userX 20000001 " in goip.sdp(2)
    assert b"User-Agent: dble" in goip.invite(b"x")
    assert b"Content-Length:     1\r\n" in goip.invite(b"x")
    assert goip.profile.quirks.rotate_source_port
    proxied = read(dialog("kamailio").invite(b"x"))
    assert len(proxied.all("via")) == 2
    assert "lr" in proxied.many("record-route")[0]


def test_compact_folded_and_bare_lf_say_the_same_in_another_form() -> None:
    plain = read(dialog("chan_sip").invite(b"x"))
    odd_data = dialog("chan_sip", compact=True, folded=True, bare_lf=True).invite(b"x")
    odd = read(odd_data)
    assert b"\r" not in odd_data
    assert b"\nv: SIP/2.0/UDP 127.0.0.1:5070\n ;branch=" in odd_data
    for name in ("via", "from", "to", "call-id", "cseq", "contact", "content-length"):
        assert [value.replace(" ;", ";") for value in odd.all(name)] == plain.all(name)
    rules = [violation.rule for violation in judge_message(odd)]
    assert rules == ["line-ending"]


def test_a_name_may_be_sent_as_latin_1() -> None:
    for latin_1, octets in ((True, b"J\xfcrgen"), (False, b"J\xc3\xbcrgen")):
        caller = CallerDialog(
            load_profile("chan_sip").with_quirks(latin_1=latin_1),
            random.Random(1),
            local=Address("127.0.0.1", 5070),
            gateway=Address("127.0.0.1", 5060),
            number="1000",
            caller="100",
            display_name="J\u00fcrgen",
        )
        assert octets in caller.invite(b"")


def test_codecs_and_event_type_are_quirks() -> None:
    sdp = read_sdp(dialog("chan_sip", codecs=["PCMU"], telephone_event=96).sdp(2))
    assert sdp.media[0].formats == ("0", "96")
    assert sdp.audio is not None
    assert sdp.audio.telephone_event == 96
    none = read_sdp(dialog("chan_sip", telephone_event=None).sdp(2))
    assert none.media[0].formats == ("8", "0")


def test_header_lines_of_the_call_go_into_its_invite() -> None:
    assert b"\r\nX-One: 1\r\nX-Two: 2\r\n" in dialog(
        "goip", headers=("X-One: 1", "X-Two: 2")
    ).invite(b"")


def test_a_body_has_a_type_and_no_body_none() -> None:
    assert b"Content-Type: application/sdp" in dialog("chan_sip").invite(b"x")
    assert b"Content-Type" not in dialog("chan_sip").invite(b"")


def test_mistakes_are_named() -> None:
    with pytest.raises(ValueError, match="there are chan_sip, freeswitch, goip, kamailio, pjsip"):
        load_profile("nortel")
    with pytest.raises(TypeError, match="polite"):
        load_profile("chan_sip").with_quirks(polite=True)
    with pytest.raises(KeyError):
        fill("{nobody}", {})


def test_a_line_of_one_empty_field_is_left_out() -> None:
    assert fill("\na\n{b}\nc: {b}\n", {"b": ""}) == "a\nc: \n"
