"""How a call went, by what baresip 1.0.0 prints."""

import numpy as np

from ci.interop_job.baresip import PhoneCall

UP = "caller@127.0.0.1: Call established: sip:1000@127.0.0.1:5060\n"
CLOSED = "sip:1000@127.0.0.1:5060: session closed: Connection reset by peer\n"
OVER = "sip:caller@127.0.0.1: Call with sip:1000@127.0.0.1:5060 terminated (duration: 3 secs)\n"
QUITS = "ua: stop all (forced=0)\n"


def phone(output: str) -> PhoneCall:
    return PhoneCall(0, output, np.zeros(0, dtype=np.int16))


def test_it_hung_up_by_itself() -> None:
    call = phone(UP + QUITS + OVER)

    assert call.established
    assert not call.ended_by_peer


def test_the_gateway_hung_up() -> None:
    call = phone(UP + CLOSED + OVER + QUITS)

    assert call.established
    assert call.ended_by_peer


def test_a_refused_call_was_never_established() -> None:
    assert not phone(
        "sip:1000@127.0.0.1:5060: session closed: 503 Service Unavailable\n"
    ).established


def test_the_last_lines_tell_why_without_the_dialling() -> None:
    output = "\r/dial s\r/dial si\rfirst\n" + "".join(f"line {n}\n" for n in range(6))

    assert phone(output).why() == "line 0 | line 1 | line 2 | line 3 | line 4 | line 5"
