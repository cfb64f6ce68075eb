import random

import pytest

from simulator.gate.digest import Challenge, Credentials, Responder
from simulator.gate.judge_digest import judge_challenge, judge_credentials
from tests.simulator.gate.messages import INVITE, OK, message

CHALLENGE = Challenge("gate", "n", qop=("auth",), opaque="o")
URI = "sip:1000@127.0.0.1:5060"
HEADER = 'WWW-Authenticate: Digest realm="a", nonce="b", qop="auth"'


def rules(old: str = "", new: str = "", **counts: int) -> list[str]:
    value = Responder(Credentials("u", "p"), random.Random(1)).answer(CHALLENGE, "INVITE", URI)
    assert old in value
    found = judge_credentials(message(INVITE), value.replace(old, new, 1), CHALLENGE, counts)
    return [violation.rule for violation in found]


def test_right_credentials_are_not_blamed() -> None:
    assert rules() == []
    assert rules(n=0) == []


@pytest.mark.parametrize(
    ("due", "old", "new"),
    [
        ("digest-field", 'username="u", ', ""),
        ("digest-field", 'response="', 'response="x'),
        ("digest-qop", "qop=auth", "qop=auth-int"),
        ("digest-qop", ", cnonce=", ", other="),
        ("digest-nc", "nc=00000001", "nc=1"),
        ("digest-realm", 'realm="gate"', 'realm="other"'),
        ("digest-opaque", 'opaque="o"', 'opaque="p"'),
        ("digest-algorithm", "algorithm=MD5", "algorithm=MD7"),
        ("digest-uri", 'uri="sip:1000@', 'uri="sip:2000@'),
    ],
)
def test_one_sin_of_credentials(due: str, old: str, new: str) -> None:
    assert rules(old, new) == [due]


def test_a_count_that_does_not_grow() -> None:
    assert rules(n=1) == ["digest-nc"]


@pytest.mark.parametrize(
    ("header", "due"),
    [
        (HEADER, []),
        (HEADER.replace('realm="a", ', ""), ["challenge-field"]),
        (HEADER.replace(', nonce="b"', ""), ["challenge-field"]),
        (HEADER.replace(', qop="auth"', ""), ["challenge-qop"]),
        (HEADER + ", stale=maybe", ["challenge-field"]),
        ('WWW-Authenticate: Bearer authz_server="x"', []),
    ],
)
def test_challenges(header: str, due: list[str]) -> None:
    response = message(OK, ("200 OK", "401 Unauthorized"), ("CSeq", f"{header}\r\nCSeq"))
    assert [violation.rule for violation in judge_challenge(response)] == due
