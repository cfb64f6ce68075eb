"""Digest authentication (RFC 7616, RFC 8760 for SIP), both ends: header values in and out, pure.

As client: `best_challenge` picks one, an `Answerer` answers it. As server: a `Guard` makes
challenges that need no memory and judges what comes back.
"""

from __future__ import annotations

import hashlib
import hmac
import random
import re
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto

HASHES = {"SHA-256": hashlib.sha256, "MD5": hashlib.md5}
"""By the name in the header; the better one first."""

ANSWERS = {
    401: ("WWW-Authenticate", "Authorization"),
    407: ("Proxy-Authenticate", "Proxy-Authorization"),
}
"""By status: the header that challenges and the one that answers."""

MAX_NONCES = 4096
NONCE_LIFE_S = 300.0

_FIELD = re.compile(
    # a name begins where none goes on: without that a long one is read again from each letter
    r'(?<![A-Za-z0-9_-])([A-Za-z0-9_-]++)[ \t]*+=[ \t]*+(?:"((?:[^"\\]|\\.)*+)"|([^\s,"]++))'
)
_COUNT = re.compile(r"[0-9a-fA-F]{8}")


@dataclass(frozen=True, slots=True)
class Credentials:
    """Who we are at a realm."""

    username: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Challenge:
    """What one WWW-Authenticate or Proxy-Authenticate asks for."""

    realm: str
    nonce: str
    algorithm: str = "MD5"
    """A key of HASHES."""
    has_qop: bool = False
    """It offers `auth`; else the form of RFC 2069 is due."""
    opaque: str | None = None
    """To be given back as it came."""
    stale: bool = False
    """The password was right, only the nonce too old: answer again."""


def fields_of(value: str) -> dict[str, str]:
    """The fields of a Digest challenge or answer, names in lower case; empty for another scheme."""
    scheme, _, rest = value.strip().partition(" ")
    if scheme.lower() != "digest":
        return {}
    found: dict[str, str] = {}
    for name, quoted, plain in _FIELD.findall(rest):
        # the first one counts: a second `username` would be read by some and not by others
        found.setdefault(name.lower(), plain or re.sub(r"\\(.)", r"\1", quoted))
    return found


def read_challenge(value: str) -> Challenge | None:
    """One challenge, or None for one that we cannot answer."""
    fields = fields_of(value)
    algorithm = fields.get("algorithm", "MD5").upper()
    offers = [word.strip().lower() for word in fields.get("qop", "").split(",") if word.strip()]
    if "realm" not in fields or not fields.get("nonce") or algorithm not in HASHES:
        return None
    if offers and "auth" not in offers:
        return None
    return Challenge(
        fields["realm"],
        fields["nonce"],
        algorithm,
        bool(offers),
        fields.get("opaque"),
        fields.get("stale", "").lower() == "true",
    )


def best_challenge(values: Iterable[str]) -> Challenge | None:
    """Of all that a response asks, a header line each, the one with the strongest algorithm."""
    known = [found for value in values if (found := read_challenge(value)) is not None]
    order = list(HASHES)
    return min(known, key=lambda each: order.index(each.algorithm), default=None)


def proof(
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
    """The `response` field (RFC 7616 3.4.1); without qop the form of RFC 2069."""

    def hashed(*parts: str) -> str:
        text = ":".join(parts).encode("utf-8", "surrogateescape")
        return HASHES[algorithm](text, usedforsecurity=False).hexdigest()

    secret = hashed(credentials.username, realm, credentials.password)
    asked = hashed(method, uri)
    middle = (nonce, nc, cnonce, qop) if qop else (nonce,)
    return hashed(secret, *middle, asked)


def quoted(text: str) -> str:
    """As a quoted-string (RFC 3261 25.1)."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


class Answerer:
    """Answers challenges with one account, and counts how often each nonce was used."""

    def __init__(self, credentials: Credentials, source: random.Random) -> None:
        self.credentials = credentials
        self._source = source
        self._nonce = ""
        self._used = 0

    def answer(self, challenge: Challenge, method: str, uri: str) -> str:
        """The value of Authorization or Proxy-Authorization for this request."""
        self._used = self._used + 1 if challenge.nonce == self._nonce else 1
        self._nonce = challenge.nonce
        count = {
            "qop": "auth",
            "nc": f"{self._used:08x}",
            "cnonce": f"{self._source.getrandbits(64):016x}",
        }
        counted = count if challenge.has_qop else {}
        asked = {"realm": challenge.realm, "nonce": challenge.nonce}
        response = proof(
            self.credentials,
            algorithm=challenge.algorithm,
            method=method,
            uri=uri,
            **asked,
            **counted,
        )
        named = {"username": self.credentials.username, **asked, "uri": uri, "response": response}
        parts = [f"{name}={quoted(text)}" for name, text in named.items()]
        parts.append(f"algorithm={challenge.algorithm}")
        if counted:
            parts += [f"qop=auth, nc={count['nc']}", f"cnonce={quoted(count['cnonce'])}"]
        if challenge.opaque is not None:
            parts.append(f"opaque={quoted(challenge.opaque)}")
        return f"Digest {', '.join(parts)}"


class Verdict(Enum):
    """What the credentials of a request are worth."""

    MISSING = auto()
    """None for our realm: challenge."""
    STALE = auto()
    """Right, but the nonce is too old or was used before: challenge with stale=true."""
    WRONG = auto()
    RIGHT = auto()


class Guard:
    """Knows users and their passwords, makes challenges and judges the answers.

    A nonce holds its own time, signed: nothing is remembered of who was only challenged. Of those
    who knew a password the highest count is kept, so that no answer is good twice.
    """

    def __init__(
        self,
        users: Mapping[str, str],
        source: random.Random,
        *,
        realm: str,
        algorithms: Sequence[str] = tuple(HASHES),
    ) -> None:
        self._users = users
        self._source = source
        self._realm = realm
        self._algorithms = algorithms
        self._secret = source.getrandbits(256).to_bytes(32, "big")
        self._counts: OrderedDict[str, int] = OrderedDict()
        self._oldest_ms = 0
        """Nonces older than this are stale whatever their age."""

    def challenges(self, now: float, *, stale: bool = False) -> list[str]:
        """The values of WWW-Authenticate, a line each (RFC 8760 2.3: one per algorithm)."""
        stamp = f"{round(now * 1000):x}-{self._source.getrandbits(64):016x}"
        start = f"realm={quoted(self._realm)}, nonce={quoted(f'{stamp}-{self._signed(stamp)}')}"
        end = ", stale=true" if stale else ""
        return [
            f'Digest {start}, algorithm={algorithm}, qop="auth"{end}'
            for algorithm in self._algorithms
        ]

    def judge(self, values: Iterable[str], method: str, now: float) -> tuple[Verdict, str]:
        """The verdict on a request's Authorization lines, and the user name they give.

        The uri they name is not held against the Request-URI: a proxy may have rewritten that.
        """
        for value in values:
            fields = fields_of(value)
            if fields.get("realm") == self._realm:
                return self._judge(fields, method, now), fields.get("username", "")
        return Verdict.MISSING, ""

    def _judge(self, fields: Mapping[str, str], method: str, now: float) -> Verdict:
        username = fields.get("username", "")
        algorithm = fields.get("algorithm", "MD5").upper()
        qop = fields.get("qop", "").lower()
        if algorithm not in self._algorithms or qop not in ("", "auth"):
            return Verdict.WRONG
        password = self._users.get(username)
        due = proof(
            # the same work for a name nobody has: the time it takes must not tell
            Credentials(username, password or ""),
            algorithm=algorithm,
            realm=self._realm,
            nonce=fields.get("nonce", ""),
            method=method,
            uri=fields.get("uri", ""),
            qop=qop,
            nc=fields.get("nc", ""),
            cnonce=fields.get("cnonce", ""),
        )
        given = fields.get("response", "").lower()
        same = hmac.compare_digest(due.encode(), given.encode("utf-8", "surrogateescape"))
        if not password or not same:
            return Verdict.WRONG
        return self._judge_nonce(fields.get("nonce", ""), fields.get("nc") if qop else None, now)

    def _judge_nonce(self, nonce: str, nc: str | None, now: float) -> Verdict:
        """RFC 7616 3.3: stale says that the proof was right for a nonce that counts no more."""
        if not self._is_fresh(nonce, now):
            return Verdict.STALE
        # without qop there is no count: such a nonce is good for one request
        count = 1 if nc is None else int(nc, 16) if _COUNT.fullmatch(nc) else 0
        if count <= self._counts.get(nonce, 0):
            return Verdict.STALE
        self._counts[nonce] = count
        if len(self._counts) > MAX_NONCES:
            dropped, _ = self._counts.popitem(last=False)
            # what is forgotten must not become good again
            self._oldest_ms = max(self._oldest_ms, _made_at_ms(dropped) + 1)
        return Verdict.RIGHT

    def _is_fresh(self, nonce: str, now: float) -> bool:
        stamp, _, signature = nonce.rpartition("-")
        given = signature.encode("utf-8", "surrogateescape")
        if not hmac.compare_digest(self._signed(stamp).encode(), given):
            return False
        made_at_ms = _made_at_ms(nonce)
        return made_at_ms >= max(self._oldest_ms, (now - NONCE_LIFE_S) * 1000)

    def _signed(self, stamp: str) -> str:
        text = stamp.encode("utf-8", "surrogateescape")
        return hashlib.blake2s(text, key=self._secret, digest_size=16).hexdigest()


def _made_at_ms(nonce: str) -> int:
    """When a nonce that bears our signature was made."""
    return int(nonce.partition("-")[0], 16)
