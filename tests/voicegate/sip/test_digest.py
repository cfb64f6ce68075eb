"""Digest, both ends: the RFC's examples, what peers really send, and answers that come twice."""

from __future__ import annotations

import random
import time

import pytest

from voicegate.sip import digest as module
from voicegate.sip.digest import (
    NONCE_LIFE_S,
    Answerer,
    Challenge,
    Credentials,
    Guard,
    Verdict,
    best_challenge,
    fields_of,
    proof,
    read_challenge,
)

MUFASA = Credentials("Mufasa", "Circle of Life")
URI = "sip:gate.example"


@pytest.mark.parametrize(
    ("algorithm", "expected"),
    [
        ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
        ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ],
)
def test_the_example_of_rfc_7616(algorithm: str, expected: str) -> None:
    """RFC 7616 3.9.1."""
    assert expected == proof(
        MUFASA,
        algorithm=algorithm,
        realm="http-auth@example.org",
        nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v",
        method="GET",
        uri="/dir/index.html",
        qop="auth",
        nc="00000001",
        cnonce="f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
    )


def test_the_old_form_of_rfc_2069_has_neither_count_nor_cnonce() -> None:
    expected = "1949323746fe6a43ef61f9606e7febea"
    assert expected == proof(
        Credentials("Mufasa", "CircleOfLife"),
        algorithm="MD5",
        realm="testrealm@host.com",
        nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093",
        method="GET",
        uri="/dir/index.html",
    )


def test_no_password_is_shown_by_accident() -> None:
    assert "Circle" not in repr(MUFASA)


@pytest.mark.parametrize(
    ("value", "challenge"),
    [
        # Asterisk, Kamailio without qop, a proxy with odd spaces, quotes within a realm
        ('Digest algorithm=MD5, realm="asterisk", nonce="5d"', Challenge("asterisk", "5d")),
        ('digest realm="k",nonce="n",qop="auth"', Challenge("k", "n", has_qop=True)),
        (
            'Digest  realm = "a, b" , nonce="n", qop="auth,auth-int", stale=TRUE, opaque=""',
            Challenge("a, b", "n", has_qop=True, opaque="", stale=True),
        ),
        (r'Digest realm="\"x\"", nonce="n", algorithm=sha-256', Challenge('"x"', "n", "SHA-256")),
        ('Digest realm="r", nonce="n", algorithm=MD5-sess', None),
        ('Digest realm="r", nonce="n", qop="auth-int"', None),
        ('Digest realm="r"', None),
        ('Digest nonce="n"', None),
        ('Basic realm="r"', None),
        ("", None),
    ],
)
def test_challenges_as_peers_send_them(value: str, challenge: Challenge | None) -> None:
    assert read_challenge(value) == challenge


def test_of_several_challenges_the_strongest_that_we_know_is_answered() -> None:
    values = [f'Digest realm="r", nonce="{a}", algorithm={a}' for a in ("MD5", "SHA-256", "X")]
    found = best_challenge(values)
    assert found is not None
    assert found.algorithm == "SHA-256"
    assert best_challenge(values[2:]) is None


def test_an_answer_counts_the_uses_of_a_nonce_and_gives_opaque_back() -> None:
    answerer = Answerer(Credentials('a"b', "p"), random.Random(1))
    challenge = Challenge("r", "n", has_qop=True, opaque="o")
    counts = [fields_of(answerer.answer(challenge, "REGISTER", URI))["nc"] for _ in range(2)]
    assert counts == ["00000001", "00000002"]
    fields = fields_of(answerer.answer(Challenge("r", "m", opaque="o"), "REGISTER", URI))
    assert (fields["username"], fields["uri"], fields["opaque"]) == ('a"b', URI, "o")
    assert "nc" not in fields
    fields = fields_of(answerer.answer(Challenge("r", "n", has_qop=True), "REGISTER", URI))
    assert fields["nc"] == "00000001"


def guard(**settings: object) -> Guard:
    users = {"gate": "secret", "blank": ""}
    return Guard(users, random.Random(2), realm="voicegate", **settings)  # type: ignore[arg-type]


def answered(judge: Guard, challenge: str, *, user: str = "gate", password: str = "secret") -> str:
    read = read_challenge(challenge)
    assert read is not None
    return Answerer(Credentials(user, password), random.Random(3)).answer(read, "INVITE", URI)


@pytest.mark.parametrize("algorithm", ["MD5", "SHA-256"])
def test_who_knows_the_password_is_let_in_once_per_count(algorithm: str) -> None:
    judge = guard(algorithms=(algorithm,))
    (challenge,) = judge.challenges(10.0)
    answer = answered(judge, challenge)
    assert judge.judge([answer], "INVITE", 11.0) == (Verdict.RIGHT, "gate")
    assert judge.judge([answer], "INVITE", 11.0) == (Verdict.STALE, "gate")


def test_both_algorithms_are_offered_the_better_one_first() -> None:
    values = guard().challenges(0.0, stale=True)
    assert [fields_of(value)["algorithm"] for value in values] == ["SHA-256", "MD5"]
    assert all(fields_of(value)["stale"] == "true" for value in values)


@pytest.mark.parametrize(
    ("user", "password"),
    [("gate", "wrong"), ("nobody", "secret"), ("nobody", ""), ("blank", ""), ("", "")],
)
def test_a_wrong_password_an_unknown_name_and_a_blank_password_are_wrong(
    user: str, password: str
) -> None:
    judge = guard()
    answer = answered(judge, judge.challenges(0.0)[0], user=user, password=password)
    assert judge.judge([answer], "INVITE", 0.0)[0] is Verdict.WRONG


def test_the_answer_to_another_method_or_realm_is_worth_nothing() -> None:
    judge = guard()
    answer = answered(judge, judge.challenges(0.0)[0])
    assert judge.judge([answer], "REGISTER", 0.0)[0] is Verdict.WRONG
    other = answer.replace('realm="voicegate"', 'realm="other"')
    assert judge.judge([other], "INVITE", 0.0) == (Verdict.MISSING, "")
    assert judge.judge([other, answer], "INVITE", 0.0)[0] is Verdict.RIGHT
    assert judge.judge([], "INVITE", 0.0) == (Verdict.MISSING, "")


def test_an_old_nonce_and_one_of_somebody_else_are_stale() -> None:
    judge = guard()
    answer = answered(judge, judge.challenges(0.0)[0])
    assert judge.judge([answer], "INVITE", NONCE_LIFE_S + 0.01)[0] is Verdict.STALE
    assert judge.judge([answer], "INVITE", NONCE_LIFE_S)[0] is Verdict.RIGHT
    for nonce in ("zz", "12-34-56", "\udcff-\udcff", "0-0-" + "0" * 32):
        foreign = answered(judge, f'Digest realm="voicegate", nonce="{nonce}", qop="auth"')
        assert judge.judge([foreign], "INVITE", 0.0)[0] is Verdict.STALE


@pytest.mark.parametrize("nc", ["", "1", "0000000g", "00000000", "-0000001"])
def test_a_count_that_is_none_is_stale(nc: str) -> None:
    judge = guard(algorithms=("MD5",))
    fields = fields_of(judge.challenges(0.0)[0])
    parts = {"realm": "voicegate", "nonce": fields["nonce"], "cnonce": "c", "nc": nc}
    response = proof(
        Credentials("gate", "secret"),
        algorithm="MD5",
        method="INVITE",
        uri=URI,
        qop="auth",
        **parts,
    )
    named = parts | {"username": "gate", "uri": URI, "response": response, "qop": "auth"}
    value = "Digest " + ", ".join(f'{name}="{text}"' for name, text in named.items())
    assert judge.judge([value], "INVITE", 0.0)[0] is Verdict.STALE


def test_without_qop_a_nonce_is_good_for_one_request() -> None:
    judge = guard()
    challenge = judge.challenges(0.0)[1].replace(', qop="auth"', "")
    answer = answered(judge, challenge)
    assert "nc=" not in answer
    verdicts = [judge.judge([answer], "INVITE", 0.0)[0] for _ in range(2)]
    assert verdicts == [Verdict.RIGHT, Verdict.STALE]


def test_the_memory_is_bounded_and_what_is_forgotten_is_not_good_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "MAX_NONCES", 2)
    judge = guard()
    answers = [answered(judge, judge.challenges(float(n))[0]) for n in range(4)]
    assert all(judge.judge([each], "INVITE", 4.0)[0] is Verdict.RIGHT for each in answers)
    assert all(judge.judge([each], "INVITE", 4.0)[0] is Verdict.STALE for each in answers)
    assert len(judge._counts) == 2


@pytest.mark.parametrize(
    "value",
    [
        "Digest",
        'Digest realm="voicegate"',
        'Digest realm="voicegate", algorithm=ROT13, username="gate"',
        'Digest realm="voicegate", qop=auth-int, username="gate"',
        'Digest realm="voicegate", username="gate", response="\udcff", nonce="\udce4"',
        'Digest realm="voicegate" ' + 'x="' * 5000,
    ],
)
def test_garbage_is_never_right_and_never_raises(value: str) -> None:
    assert guard().judge([value], "INVITE", 0.0)[0] in (Verdict.MISSING, Verdict.WRONG)


@pytest.mark.parametrize("filling", ["a", "a ", 'a="', 'a="\\', "a=", "=", ",", '"', "a=b,"])
def test_the_longest_header_is_read_in_no_time(filling: str) -> None:
    value = "Digest " + filling * (60_000 // len(filling))
    began = time.process_time()
    fields_of(value)
    assert time.process_time() - began < 1.0


def test_the_first_of_two_fields_of_one_name_counts() -> None:
    assert fields_of('Digest username="a", username="b"') == {"username": "a"}
