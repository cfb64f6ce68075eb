import random

import pytest

from simulator.gate.digest import (
    Challenge,
    Credentials,
    Responder,
    best_challenge,
    digest_response,
    fields_of,
    read_challenge,
)

MUFASA = Credentials("Mufasa", "Circle of Life")


@pytest.mark.parametrize(
    ("algorithm", "proof"),
    [
        ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
        ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ],
)
def test_the_example_of_rfc_7616(algorithm: str, proof: str) -> None:
    """RFC 7616 3.9.1."""
    assert proof == digest_response(
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


def test_the_old_form_has_neither_count_nor_cnonce() -> None:
    """RFC 2617 3.5, its values without qop (as in RFC 2069)."""
    credentials = Credentials("Mufasa", "CircleOfLife")
    proof = digest_response(
        credentials,
        algorithm="MD5",
        realm="testrealm@host.com",
        nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093",
        method="GET",
        uri="/dir/index.html",
    )
    assert proof == "1949323746fe6a43ef61f9606e7febea"
    with pytest.raises(ValueError, match="no digest algorithm"):
        digest_response(credentials, algorithm="ROT13", realm="", nonce="", method="", uri="")


def test_a_challenge_is_read() -> None:
    text = 'Digest realm="a, b", nonce="n\\"q", qop="auth,auth-int", algorithm=SHA-256, stale=TRUE'
    assert read_challenge(text) == Challenge(
        "a, b", 'n"q', "SHA-256", ("auth", "auth-int"), None, stale=True
    )
    for useless in ('Basic realm="a"', "Digest", 'Digest realm="a"', text.replace("SHA", "SHB")):
        assert read_challenge(useless) is None
    assert fields_of("Digest a=1, B = 2") == {"a": "1", "b": "2"}


def test_the_first_one_known_is_the_best() -> None:
    values = [f'Digest realm="r", nonce="n", algorithm={name}' for name in ("X", "SHA-256", "MD5")]
    best = best_challenge(values)
    assert best is not None
    assert best.algorithm == "SHA-256"
    assert best_challenge([]) is None


def test_the_count_grows_with_a_nonce_and_starts_anew_with_another() -> None:
    responder = Responder(MUFASA, random.Random(1))
    counts = []
    for nonce in ("a", "a", "b"):
        challenge = Challenge("r", nonce, qop=("auth",), opaque="o")
        fields = fields_of(responder.answer(challenge, "REGISTER", "sip:h"))
        counts.append(fields["nc"])
        assert fields["opaque"] == "o"
        assert fields["uri"] == "sip:h"
    assert counts == ["00000001", "00000002", "00000001"]
    assert "nc" not in fields_of(responder.answer(Challenge("r", "c"), "REGISTER", "sip:h"))
