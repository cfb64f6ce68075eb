"""A request made again with our credentials."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from voicegate.sip.digest import Credentials, fields_of
from voicegate.sip.login import Login
from voicegate.sip.message import Headers, Request, Response, parse

if TYPE_CHECKING:
    from tests.voicegate.sip.conftest import Rig

PROXY = ("Proxy-Authenticate", 'Digest realm="proxy", nonce="p", qop="auth"')
SERVER = ("WWW-Authenticate", 'Digest realm="gate", nonce="s"')


def login() -> Login:
    return Login(Credentials("100", "secret"), random.Random(1))


def invite(rig: Rig, headers: Headers = ()) -> Request:
    message = parse(rig.request())
    assert isinstance(message, Request)
    return Request(message.method, message.uri, (*message.headers, *headers))


def test_a_challenge_is_answered_in_the_header_of_its_kind(rig: Rig) -> None:
    request = invite(rig)
    for status, asked, name in (
        (401, SERVER, "Authorization"),
        (407, PROXY, "Proxy-Authorization"),
    ):
        answer = login().answer(request, Response(status, "", (asked,)))
        assert answer is not None
        ((given, value),) = answer
        assert given == name
        assert fields_of(value)["uri"] == request.uri


def test_a_proxy_and_a_server_both_get_theirs(rig: Rig) -> None:
    ours = login()
    first = ours.answer(invite(rig), Response(407, "", (PROXY,)))
    assert first is not None
    second = ours.answer(invite(rig, first), Response(401, "", (SERVER,)))
    assert second is not None
    assert [name for name, _ in second] == ["Proxy-Authorization", "Authorization"]


def test_a_no_to_our_password_is_taken_for_a_no(rig: Rig) -> None:
    ours = login()
    first = ours.answer(invite(rig), Response(401, "", (SERVER,)))
    assert first is not None
    assert ours.answer(invite(rig, first), Response(401, "", (SERVER,))) is None


def test_a_stale_nonce_is_no_no(rig: Rig) -> None:
    ours = login()
    first = ours.answer(invite(rig), Response(401, "", (SERVER,)))
    assert first is not None
    stale = (SERVER[0], 'Digest realm="gate", nonce="t", stale=true')
    second = ours.answer(invite(rig, first), Response(401, "", (stale,)))
    assert second is not None
    assert [fields_of(value)["nonce"] for _, value in second] == ["t"]


def test_what_asks_nothing_we_can_answer_is_not_answered(rig: Rig) -> None:
    ours, request = login(), invite(rig)
    assert ours.answer(request, Response(403, "", ())) is None
    assert ours.answer(request, Response(401, "", ())) is None
    assert ours.answer(request, Response(401, "", (PROXY,))) is None
    assert ours.answer(request, Response(401, "", (("WWW-Authenticate", "Basic x"),))) is None
