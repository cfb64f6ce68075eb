"""Other people's torture messages: the answer due, no crash, and the next request works."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

import pytest

from ci.torture_job.cases import (
    BODIES,
    MESSAGES,
    RFCS,
    Case,
    Place,
    body_cases,
    message_cases,
    protos_cases,
    rfc_cases,
    segment_cases,
)
from voicegate.sip.events import CallReceived
from voicegate.sip.headers import Address, user_of
from voicegate.sip.message import Response

if TYPE_CHECKING:
    from tests.voicegate.sip.conftest import Rig

pytestmark = pytest.mark.usefixtures("calm")

CASE_LIMIT_S = 0.05
PLACE = Place()
SOURCE = Address(PLACE.attacker, 5060)
PROTOS_CHUNKS = 12

WHERE = "../shared/corpora/{} is not beside the repository"


def feed(rig: Rig, data: bytes, status: int | None = 488) -> list[bytes]:
    """One datagram: answered to nobody but its source, cheaply, and a clean OPTIONS works after it.

    A call that it begins is refused with `status`, or (None) answered. Gives the answers raw: one
    that says 400 copies what is broken.
    """
    rig.allowed.append(SOURCE.host)
    began = time.process_time()
    rig.endpoint.receive_datagram(data, SOURCE, rig.now, rig.local)
    for event in rig.events():
        if isinstance(event, CallReceived) and status is None:
            rig.endpoint.answer(event.dialog, rig.sdp, rig.now)
        elif isinstance(event, CallReceived):
            rig.endpoint.reject(event.dialog, status or 0, rig.now)
    took_s = time.process_time() - began
    assert took_s < CASE_LIMIT_S, data
    sent = rig.endpoint.datagrams_to_send()
    assert all(flow.peer.host == SOURCE.host for _, flow in sent)
    (alive,) = rig.receive(rig.request("OPTIONS"))
    assert isinstance(alive, Response)
    assert alive.status == 200
    return [answer for answer, _ in sent]


def finals(answers: list[bytes]) -> list[int]:
    found = [int(answer.split(b" ", 2)[1]) for answer in answers if answer.startswith(b"SIP/2.0")]
    return [status for status in found if status >= 200]


def pass_time(rig: Rig, seconds: float) -> None:
    """Let timers fire; what they send goes to nobody but the source."""
    until = rig.now + seconds
    while (due := rig.endpoint.get_timer()) is not None and due <= until:
        rig.now = max(due, rig.now)
        rig.endpoint.handle_timer(rig.now)
    rig.now = until
    assert all(flow.peer.host == SOURCE.host for _, flow in rig.endpoint.datagrams_to_send())
    rig.events()


def at_baseline(rig: Rig) -> None:
    """Calls that were answered and never acknowledged are hung up after 32 s, and forgotten."""
    pass_time(rig, 110.0)
    assert (rig.endpoint.dialogs, rig.endpoint.transactions, rig.endpoint.unsettled) == (0, 0, 0)
    assert rig.endpoint.get_timer() is None


def tables() -> list[object]:
    named = [case for name in RFCS for case in rfc_cases(name)]
    if not named:
        missing = pytest.mark.skip(reason=WHERE.format("rfc4475"))
        return [pytest.param(Case("", ()), marks=missing, id="rfc4475")]
    return [pytest.param(case, id=case.name.replace("/", "-")) for case in named]


@pytest.mark.parametrize("case", tables())
def test_each_message_of_the_rfcs_is_answered_as_its_table_says(rig: Rig, case: Case) -> None:
    answers = feed(rig, case.packets[0])
    assert case.permits(finals(answers)), (case.allowed, answers)
    at_baseline(rig)


# What the tables say must be true besides the status

ALSO = {
    "rfc4475/intmeth.dat": rb"\r\nAllow: INVITE, ACK",
    "rfc4475/esc02.dat": rb"\r\nAllow: INVITE, ACK",
    "rfc4475/transports.dat": rb"(?s)Via: SIP/2.0/UDP.*Via: SIP/2.0/SCTP.*Via: SIP/2.0/TLS"
    rb".*Via: SIP/2.0/UNKNOWN.*Via: SIP/2.0/TCP",
    "rfc4475/bext01.dat": rb"\r\nUnsupported: nothingSupportsThis, nothingSupportsThisEither\r",
    "rfc4475/invut.dat": rb"\r\nAccept: application/sdp\r",
    "rfc4475/sdp01.dat": rb"\r\nAccept: application/sdp\r",
    "rfc4475/mpart01.dat": rb"\r\nContent-Length: 0\r\n\r\n$",
    "rfc4475/insuf.dat": rb"^(?!(.*\r\n)*(From|To|Call-ID):)",
    "rfc5118/via-received-param-no-delim.dat": rb"\r\nVia: [^\r]*;received=127.0.0.77",
    "rfc5118/mult-ip-in-header.dat": rb"Via: [^\r]*\[2001:db8::9:1\][^\r]*\r\nVia: [^\r]*192.0.2",
}


@pytest.mark.parametrize("name", [name.replace("/", "-") for name in ALSO])
def test_such_an_answer_says_what_the_asker_needs(rig: Rig, name: str) -> None:
    folder, _, file = name.partition("-")
    found = [case for case in rfc_cases(folder) if case.name == f"{folder}/{file}"]
    if not found:
        pytest.skip(WHERE.format(folder))
    (answer,) = feed(rig, found[0].packets[0])
    assert re.search(ALSO[f"{folder}/{file}"], answer), answer


def test_rfc4475_what_is_escaped_is_unescaped_once(rig: Rig) -> None:
    if not rfc_cases("rfc4475"):
        pytest.skip(WHERE.format("rfc4475"))
    (case,) = [one for one in rfc_cases("rfc4475") if one.name.endswith("esc01.dat")]
    rig.allowed.append(SOURCE.host)
    rig.receive(case.packets[0], SOURCE)
    (event,) = rig.events()
    assert isinstance(event, CallReceived)
    request = event.invite.request
    assert user_of(request.uri) == "sips:user@example.com"
    assert user_of(request.from_.uri) == "I have spaces"


# Sets without a table


def sets() -> dict[str, list[Case]]:
    found = {name: message_cases(name) for name in MESSAGES}
    found |= {name: body_cases(name, PLACE) for name in BODIES}
    return found | {"resip-raw": segment_cases()}


SETS = (*MESSAGES, *BODIES, "resip-raw")


def wanted(name: str) -> list[Case]:
    cases = sets()[name] if name in SETS else [case for rfc in RFCS for case in rfc_cases(rfc)]
    if not cases:
        pytest.skip(WHERE.format(name))
    return cases


@pytest.mark.parametrize("name", [*SETS, "rfc4475-rfc5118"])
@pytest.mark.parametrize("how", ["whole", "bare LF", "cut"])
def test_every_message_of_a_fuzz_set_is_survived(rig: Rig, name: str, how: str) -> None:
    for number, case in enumerate(wanted(name)):
        (data,) = case.packets
        if how == "bare LF":
            data = data.replace(b"\r\n", b"\n")
        elif how == "cut":
            data = data[: len(data) // 2]
        answers = feed(rig, data, status=None if number % 2 else 488)
        assert len(finals(answers)) <= 1, case.name
    at_baseline(rig)


@pytest.fixture(scope="module")
def protos() -> list[Case]:
    """Read once: filling in the templates costs more than answering them."""
    return protos_cases(PLACE)


@pytest.mark.parametrize("chunk", [f"protos{number:02}" for number in range(PROTOS_CHUNKS)])
def test_protos_cases_are_answered_cancelled_and_forgotten(
    rig: Rig, protos: list[Case], chunk: str
) -> None:
    if not protos:
        pytest.skip(WHERE.format("protos-c07-sip"))
    answered = 0
    for number, case in enumerate(protos[int(chunk[6:]) :: PROTOS_CHUNKS]):
        invite, cancel = case.packets
        # every other call is up before its CANCEL comes
        answers = feed(rig, invite, status=None if number % 2 else 488)
        answered += bool(finals(answers))
        assert len(finals(answers)) <= 1, case.name
        assert len(finals(feed(rig, cancel))) <= 1, case.name
        pass_time(rig, 1.0)
    # most have an oddity in one element only, and are otherwise a request that can be answered
    assert answered > len(protos) / PROTOS_CHUNKS / 2
    at_baseline(rig)
