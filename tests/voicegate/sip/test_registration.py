"""We register and stay so: passwords, refreshes, losses and the end, in no time at all."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from tests.voicegate.sip.conftest import brief
from voicegate.sip.address import Address, Flow
from voicegate.sip.digest import Credentials
from voicegate.sip.headers import SipUri
from voicegate.sip.login import Login
from voicegate.sip.message import Request
from voicegate.sip.registration import (
    MAX_ATTEMPTS,
    MAX_BACKOFF_S,
    MIN_BACKOFF_S,
    Account,
    Registration,
    RegistrationState,
)

if TYPE_CHECKING:
    from tests.voicegate.sip.conftest import Message, Rig

GATE = Address("127.0.0.9", 5060)
ASKED = 'WWW-Authenticate: Digest realm="gate", nonce="n1", qop="auth"'


class Story:
    """A registrar and what we told of it."""

    def __init__(self, rig: Rig, transport: str = "udp", uri: str = "sip:127.0.0.9:5060") -> None:
        self.rig = rig
        self.told: list[tuple[str, int]] = []
        rig.transports.append("tcp")
        peer = GATE._replace(transport=transport)
        login = Login(Credentials("100", "secret"), random.Random(1))
        flow = Flow(rig.local._replace(transport=transport), peer)
        account = Account(SipUri.parse(uri), "100", flow, login, 300)
        rig.endpoint.register(account, self._tell, rig.now)

    def _tell(self, _account: Account, state: RegistrationState, status: int) -> None:
        self.told.append((state.value, status))

    @property
    def registration(self) -> Registration:
        return self.rig.endpoint.registrations[0]

    def answer(self, request: Message, status: int, *lines: str) -> list[Message]:
        data = self.rig.reply(request, status)
        extra = "".join(f"{line}\r\n" for line in lines).encode()
        data = data.replace(b"Content-Length", extra + b"Content-Length")
        return self.rig.receive(data, GATE)

    def sent(self) -> Request:
        (request,) = self.rig.sent()
        assert isinstance(request, Request)
        return request

    def registered(self, *lines: str) -> Request:
        request = self.sent()
        self.answer(request, 200, *lines)
        return request

    def next_at(self, until: float) -> float:
        """When the next REGISTER goes out; it is left unanswered."""
        endpoint = self.rig.endpoint
        while (due := endpoint.get_timer()) is not None and due <= until:
            for at, request in self.rig.run(due):
                assert isinstance(request, Request)
                self.last = request
                return at
        raise AssertionError("no REGISTER")


def test_a_register_names_the_domain_the_user_and_where_we_are(rig: Rig) -> None:
    request = Story(rig).sent()
    assert (request.method, request.uri) == ("REGISTER", "sip:127.0.0.9:5060")
    assert request.header("To") == "<sip:100@127.0.0.9:5060>"
    assert (request.header("From") or "").startswith("<sip:100@127.0.0.9:5060>;tag=")
    assert request.header("Contact") == "<sip:100@127.0.0.1:5060>"
    assert request.header("Expires") == "300"


@pytest.mark.parametrize(
    ("lines", "at"),
    [
        ((), 240.0),
        (("Expires: 60",), 30.0),
        (("Contact: <sip:x@y>;expires=9, <sip:100@127.0.0.1:5060>;expires=120",), 60.0),
        (("Contact: <sip:100@127.0.0.1:5060>;expires=x", "Expires: 3600"), 240.0),
        (("Contact: <broken", "Expires: 3600"), 3540.0),
    ],
)
def test_it_is_refreshed_well_before_its_end(rig: Rig, lines: tuple[str, ...], at: float) -> None:
    story = Story(rig)
    first = story.registered(*lines)
    assert story.told == [("trying", 0), ("up", 0)]
    assert story.next_at(5000.0) == at
    assert story.last.call_id == first.call_id
    assert story.last.cseq.number == first.cseq.number + 1


@pytest.mark.parametrize(
    ("status", "asked", "given"),
    [
        (401, "WWW-Authenticate", "Authorization"),
        (407, "Proxy-Authenticate", "Proxy-Authorization"),
    ],
)
def test_a_password_is_shown_where_it_is_asked_for(
    rig: Rig, status: int, asked: str, given: str
) -> None:
    story = Story(rig)
    (again,) = story.answer(story.sent(), status, f'{asked}: Digest realm="g", nonce="n"')
    assert again.header(given)
    story.answer(again, 200)
    assert story.told[-1] == ("up", 0)


def test_a_wrong_password_is_shown_once_and_then_less_and_less_often(rig: Rig) -> None:
    story = Story(rig)
    (again,) = story.answer(story.sent(), 401, ASKED)
    assert story.answer(again, 401, ASKED) == []
    assert story.told[-1] == ("lost", 401)
    waits, at = [], 0.0
    for _ in range(12):
        later = story.next_at(at + 2 * MAX_BACKOFF_S)
        waits.append(later - at)
        at = later
        story.answer(story.last, 403)
    for number, wait in enumerate(waits):
        longest = min(MAX_BACKOFF_S, MIN_BACKOFF_S * 2**number)
        assert longest / 2 <= wait <= longest
    assert story.told == [("trying", 0), ("lost", 401)]


def test_a_registrar_that_never_stops_asking_is_a_refusal(rig: Rig) -> None:
    story = Story(rig)
    request: Message = story.sent()
    for number in range(MAX_ATTEMPTS - 1):
        challenge = f'WWW-Authenticate: Digest realm="g", nonce="{number}", stale=true'
        (request,) = story.answer(request, 401, challenge)
    assert (
        story.answer(request, 401, 'WWW-Authenticate: Digest realm="g", nonce="x", stale=true')
        == []
    )
    assert story.told[-1] == ("lost", 401)


def test_a_longer_time_is_asked_for_where_the_registrar_wants_one(rig: Rig) -> None:
    story = Story(rig)
    (again,) = story.answer(story.sent(), 423, "Min-Expires: 1800")
    assert again.header("Expires") == "1800"
    assert story.answer(again, 423, "Min-Expires: 1800") == []
    assert story.told[-1] == ("lost", 423)


def test_a_silent_registrar_is_lost_after_32_s_and_found_again(rig: Rig) -> None:
    story = Story(rig)
    sent = rig.run(32.0)
    assert len(sent) == 11
    assert story.told[-1] == ("lost", 408)
    story.next_at(40.0)
    story.answer(story.last, 200)
    assert story.told[-1] == ("up", 0)


def test_retry_after_is_kept_to(rig: Rig) -> None:
    story = Story(rig)
    story.answer(story.sent(), 503, "Retry-After: 120 (busy)")
    assert story.next_at(1000.0) == 120.0


def test_a_lost_connection_is_a_lost_registration(rig: Rig) -> None:
    story = Story(rig, "tcp", "sip:127.0.0.9;transport=tcp")
    request = story.registered()
    assert request.header("Contact") == "<sip:100@127.0.0.1:5060;transport=tcp>"
    assert rig.endpoint.needs(GATE._replace(transport="tcp"))
    rig.endpoint.lose(GATE._replace(transport="tcp"), 10.0)
    assert story.told[-1] == ("lost", 0)
    assert story.next_at(100.0) <= 10.0 + MIN_BACKOFF_S


def test_the_registrar_is_heard_though_nobody_allowed_it_and_nobody_else_answers_for_it(
    rig: Rig,
) -> None:
    story = Story(rig)
    request = story.sent()
    rig.receive(rig.reply(request, 200), Address("127.0.0.66", 5060))
    assert story.told[-1] == ("trying", 0)
    story.answer(request, 200)
    assert story.told[-1] == ("up", 0)


def test_at_the_end_the_binding_is_taken_away_and_nothing_more_is_sent(rig: Rig) -> None:
    story = Story(rig)
    story.registered()
    story.registration.stop(5.0)
    last = story.sent()
    assert last.header("Expires") == "0"
    (again,) = story.answer(last, 401, ASKED)
    assert again.header("Expires") == "0"
    assert rig.endpoint.unsettled == 1
    story.answer(again, 200)
    assert rig.endpoint.unsettled == 0
    assert brief(message for _, message in rig.run(5000.0)) == []
    assert story.told[-1] == ("off", 0)
    assert rig.endpoint.transactions == 0


def test_what_was_never_registered_is_not_taken_away(rig: Rig) -> None:
    story = Story(rig)
    request = story.sent()
    story.registration.stop(0.0)
    story.answer(request, 200)
    assert brief(message for _, message in rig.run(5000.0)) == []


def test_no_password_is_shown_by_accident(rig: Rig) -> None:
    assert "secret" not in repr(Story(rig).registration.account)
