import random

import pytest

from simulator.gate.authenticator import NONCES_MAX, Authenticator, Verdict
from simulator.gate.digest import Credentials, Responder, best_challenge
from simulator.gate.wire import RawMessage
from tests.simulator.gate.messages import INVITE, message

URI = "sip:1000@127.0.0.1:5060"


def asker(status: int = 401) -> Authenticator:
    return Authenticator({"gw": "secret"}, random.Random(1), nonce_s=10, status=status)


def asked(asks: Authenticator, responder: Responder, now: float = 0.0) -> RawMessage:
    line = asks.challenge(now).headers[0]
    return again(asks, responder, line)


def again(asks: Authenticator, responder: Responder, line: str) -> RawMessage:
    name, _, value = line.partition(": ")
    answer = {"WWW-Authenticate": "Authorization", "Proxy-Authenticate": "Proxy-Authorization"}
    challenge = best_challenge([value])
    assert challenge is not None
    header = f"{answer[name]}: {responder.answer(challenge, 'INVITE', URI)}"
    return message(INVITE, ("Max-Forwards", f"{header}\r\nMax-Forwards"))


def responder(password: str = "secret") -> Responder:
    return Responder(Credentials("gw", password), random.Random(2))


@pytest.mark.parametrize("status", [401, 407])
def test_the_right_password_counts_once_per_count(status: int) -> None:
    asks = asker(status)
    assert asks.check(message(INVITE), 0.0) == (Verdict.MISSING, "", [])
    request = asked(asks, responder())
    assert asks.check(request, 1.0) == (Verdict.RIGHT, "gw", [])
    verdict, _, found = asks.check(request, 2.0)
    assert verdict is Verdict.STALE  # a replay
    assert [violation.rule for violation in found] == ["digest-nc"]


def test_a_wrong_password_and_an_unknown_user() -> None:
    asks = asker()
    assert asks.check(asked(asks, responder("wrong")), 0.0)[0] is Verdict.WRONG
    stranger = Responder(Credentials("nobody", "secret"), random.Random(2))
    assert asks.check(asked(asks, stranger), 0.0)[0] is Verdict.WRONG
    assert asks.wrong == 2


def test_a_nonce_grows_old() -> None:
    asks = asker()
    assert asks.check(asked(asks, responder()), 10.0)[0] is Verdict.RIGHT
    assert asks.check(asked(asks, responder()), 10.1)[0] is Verdict.STALE
    request = asked(asks, responder(), 11.0)
    asks.expire_nonces()
    assert asks.check(request, 11.0)[0] is Verdict.STALE
    assert "stale=true" in asks.challenge(11.0, stale=True).headers[0]


def test_nonces_are_bounded_and_the_status_is_one_of_two() -> None:
    asks = asker()
    first = asks.challenge(0.0).headers[0]
    for _ in range(NONCES_MAX):
        asks.challenge(0.0)
    assert asks.check(again(asks, responder(), first), 0.0)[0] is Verdict.STALE
    with pytest.raises(ValueError, match="403 is no challenge"):
        asker(403)
