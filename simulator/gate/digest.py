"""Digest authentication (RFC 7616, RFC 8760 for SIP), pure: challenges read, answers computed."""

import hashlib
import random
import re
from collections.abc import Sequence
from dataclasses import dataclass

HASHES = {"MD5": "md5", "SHA-256": "sha256", "SHA-512-256": "sha512_256"}
"""By the algorithm's name in SIP, the name `hashlib` knows it by."""

_FIELD = re.compile(r'([A-Za-z0-9_-]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))')


@dataclass(frozen=True)
class Credentials:
    """Who somebody is."""

    username: str
    "The account."

    password: str
    "Its secret."


@dataclass(frozen=True)
class Challenge:
    """What a 401 or 407 asks for."""

    realm: str
    "What the password is good for."

    nonce: str
    "To be mixed into the answer."

    algorithm: str = "MD5"
    "MD5, SHA-256 or SHA-512-256."

    qop: tuple[str, ...] = ()
    "Kinds of protection offered; empty for the old form of RFC 2069."

    opaque: str | None = None
    "To be given back."

    stale: bool = False
    "Only the nonce was too old, the password is right."


def fields_of(value: str) -> dict[str, str]:
    """The fields of a challenge or of credentials, names in lower case; empty if not Digest."""
    scheme, _, rest = value.strip().partition(" ")
    if scheme.lower() != "digest":
        return {}
    return {
        name.lower(): re.sub(r"\\(.)", r"\1", quoted) if quoted else plain
        for name, quoted, plain in _FIELD.findall(rest)
    }


def read_challenge(value: str) -> Challenge | None:
    """A WWW-Authenticate or Proxy-Authenticate value, or None for none that we can answer."""
    fields = fields_of(value)
    algorithm = fields.get("algorithm", "MD5").upper()
    if "realm" not in fields or not fields.get("nonce") or algorithm not in HASHES:
        return None
    return Challenge(
        fields["realm"],
        fields["nonce"],
        algorithm,
        tuple(word.strip().lower() for word in fields.get("qop", "").split(",") if word.strip()),
        fields.get("opaque"),
        fields.get("stale", "").lower() == "true",
    )


def best_challenge(values: Sequence[str]) -> Challenge | None:
    """RFC 8760 2.4: the topmost one that we support."""
    return next((found for value in values if (found := read_challenge(value))), None)


def digest_response(
    credentials: Credentials,
    *,
    algorithm: str,
    realm: str,
    nonce: str,
    method: str,
    uri: str,
    qop: str = "",
    nc: str = "",
    cnonce: str = "",
) -> str:
    """RFC 7616 3.4.1: the hexadecimal proof; ValueError for an algorithm unknown here."""
    if algorithm.upper() not in HASHES:
        raise ValueError(f"no digest algorithm {algorithm!r}")

    def hashed(*parts: str) -> str:
        name = HASHES[algorithm.upper()]
        return hashlib.new(name, ":".join(parts).encode(), usedforsecurity=False).hexdigest()

    secret = hashed(credentials.username, realm, credentials.password)
    asked = hashed(method, uri)
    if qop:
        return hashed(secret, nonce, nc, cnonce, qop, asked)
    return hashed(secret, nonce, asked)


class Responder:
    """Answers challenges: counts how often each nonce was used (RFC 7616 3.4, nc)."""

    def __init__(self, credentials: Credentials, source: random.Random) -> None:
        self.credentials = credentials
        self._source = source
        self._nonce = ""
        self._used = 0

    def answer(self, challenge: Challenge, method: str, uri: str) -> str:
        """The value of an Authorization or Proxy-Authorization header."""
        self._used = self._used + 1 if challenge.nonce == self._nonce else 1
        self._nonce = challenge.nonce
        qop = "auth" if challenge.qop else ""
        nc, cnonce = f"{self._used:08x}", f"{self._source.getrandbits(64):016x}"
        proof = digest_response(
            self.credentials,
            algorithm=challenge.algorithm,
            realm=challenge.realm,
            nonce=challenge.nonce,
            method=method,
            uri=uri,
            qop=qop,
            nc=nc,
            cnonce=cnonce,
        )
        parts = [
            f'Digest username="{self.credentials.username}"',
            f'realm="{challenge.realm}"',
            f'nonce="{challenge.nonce}"',
            f'uri="{uri}"',
            f'response="{proof}"',
            f"algorithm={challenge.algorithm}",
        ]
        if qop:
            parts += [f"qop={qop}", f"nc={nc}", f'cnonce="{cnonce}"']
        if challenge.opaque is not None:
            parts.append(f'opaque="{challenge.opaque}"')
        return ", ".join(parts)
