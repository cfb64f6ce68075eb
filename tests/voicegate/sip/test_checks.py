"""RFC 3261 8.2: what is refused before anything is done."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from voicegate.sip.checks import Refusal, refusal_of
from voicegate.sip.message import Request, parse

if TYPE_CHECKING:
    from tests.voicegate.sip.conftest import Rig


def check(rig: Rig, method: str = "INVITE", **fields: object) -> Refusal | None:
    message = parse(rig.request(method, **fields))  # type: ignore[arg-type]
    assert isinstance(message, Request)
    return refusal_of(message)


@pytest.mark.parametrize("method", ["INVITE", "OPTIONS", "BYE", "INFO"])
def test_what_we_do_passes(rig: Rig, method: str) -> None:
    assert check(rig, method, body=b"v=0") is None
    assert check(rig, method, extra=["Accept: text/plain, application/sdp;level=1"]) is None


@pytest.mark.parametrize("method", ["REGISTER", "PRACK", "RE%47IST%45R", "invite", "SUBSCRIBE"])
def test_unknown_methods_are_405_with_allow(rig: Rig, method: str) -> None:
    refusal = check(rig, method)
    assert refusal is not None
    assert refusal.status == 405
    assert dict(refusal.headers)["Allow"].startswith("INVITE, ACK")


@pytest.mark.parametrize(
    ("uri", "status"),
    [
        ("nobodyKnows:x", 416),
        ("tel:+49", 416),
        ("soap.beep://h", 416),
        ("sips:a@h", None),
    ],
)
def test_request_uris(rig: Rig, uri: str, status: int | None) -> None:
    refusal = check(rig, uri=uri)
    assert (refusal and refusal.status) == status


def test_extensions_are_named_in_the_420(rig: Rig) -> None:
    refusal = check(rig, "OPTIONS", extra=["Require: nothing, 100rel", "Require: x"])
    assert refusal == Refusal(420, (("Unsupported", "nothing, 100rel, x"),))
    assert check(rig, "BYE", extra=["Require: x"]) is None


def test_bodies_that_are_no_sdp_are_415_with_accept(rig: Rig) -> None:
    xml = rig.request(body=b"<x/>").replace(b"application/sdp", b"application/xml; a=b")
    message = parse(xml)
    assert isinstance(message, Request)
    assert refusal_of(message) == Refusal(415, (("Accept", "application/sdp"),))
    untyped = parse(xml.replace(b"Content-Type", b"X-Type"))
    assert isinstance(untyped, Request)
    assert refusal_of(untyped) is None
    assert check(rig, body=b"v", extra=["Content-Encoding: gzip"]) is not None
    assert check(rig, body=b"v", extra=["Content-Encoding: identity"]) is None


def test_a_caller_that_takes_no_sdp_is_406(rig: Rig) -> None:
    refusal = check(rig, extra=["Accept: text/nobodyKnowsThis"])
    assert refusal is not None
    assert refusal.status == 406
