"""The gate asks for credentials: challenges, nonces that grow old, passwords that are wrong."""

import random
import re
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from enum import Enum

from .digest import Challenge, Credentials, digest_response, fields_of
from .judge import Violation
from .judge_digest import judge_credentials
from .response import Reply, reply
from .wire import RawMessage

NONCES_MAX = 256


class Verdict(Enum):
    """What a request's credentials are worth."""

    MISSING = "missing"
    STALE = "stale"
    WRONG = "wrong"
    RIGHT = "right"


class Authenticator:
    """Knows users and passwords; pure: requests and the time come in, verdicts go out."""

    def __init__(
        self,
        users: Mapping[str, str],
        source: random.Random,
        *,
        realm: str = "gate",
        algorithms: Sequence[str] = ("MD5",),
        nonce_s: float = 300.0,
        status: int = 401,
        opaque: bool = True,
        qop: bool = True,
    ) -> None:
        """`nonce_s`: a nonce is stale after that time. `status` is 401 or 407."""
        if status not in (401, 407):
            raise ValueError(f"{status} is no challenge: 401 or 407")
        self.users = dict(users)
        self.status = status
        self.wrong = 0
        self._realm = realm
        self._algorithms = tuple(algorithms)
        self._nonce_s = nonce_s
        self._source = source
        self._opaque = f"{source.getrandbits(32):08x}" if opaque else None
        self._qop = ("auth",) if qop else ()
        self._nonces: OrderedDict[str, float] = OrderedDict()
        self._counts: dict[str, int] = {}

    def expire_nonces(self) -> None:
        """All nonces are stale from now on."""
        self._nonces = OrderedDict.fromkeys(self._nonces, float("-inf"))

    def check(self, request: RawMessage, now: float) -> tuple[Verdict, str, list[Violation]]:
        """The verdict on a request, who it is from, and what is wrong with its credentials."""
        name = "authorization" if self.status == 401 else "proxy-authorization"
        for value in request.all(name):
            fields = fields_of(value)
            if fields.get("realm", self._realm) == self._realm or len(request.all(name)) == 1:
                found = judge_credentials(request, value, self._asked(fields), self._counts)
                return self._verdict(request, fields, now), fields.get("username", ""), found
        return Verdict.MISSING, "", []

    def challenge(self, now: float, *, stale: bool = False) -> Reply:
        """The 401 or 407 with a new nonce, one challenge per algorithm, the best one first."""
        nonce = f"{self._source.getrandbits(96):024x}"
        self._nonces[nonce] = now
        while len(self._nonces) > NONCES_MAX:
            old, _ = self._nonces.popitem(last=False)
            self._counts.pop(old, None)
        name = "WWW-Authenticate" if self.status == 401 else "Proxy-Authenticate"
        return reply(
            self.status,
            *(f"{name}: {self._challenge(nonce, each, stale)}" for each in self._algorithms),
        )

    def _challenge(self, nonce: str, algorithm: str, stale: bool) -> str:
        parts = [f'Digest realm="{self._realm}"', f'nonce="{nonce}"', f"algorithm={algorithm}"]
        if self._qop:
            parts.append(f'qop="{",".join(self._qop)}"')
        if self._opaque is not None:
            parts.append(f'opaque="{self._opaque}"')
        if stale:
            parts.append("stale=true")
        return ", ".join(parts)

    def _asked(self, fields: Mapping[str, str]) -> Challenge:
        return Challenge(self._realm, fields.get("nonce", ""), qop=self._qop, opaque=self._opaque)

    def _verdict(self, request: RawMessage, fields: Mapping[str, str], now: float) -> Verdict:
        username, algorithm = fields.get("username", ""), fields.get("algorithm", "MD5").upper()
        nonce = fields.get("nonce", "")
        if username not in self.users or algorithm not in self._algorithms:
            self.wrong += 1
            return Verdict.WRONG
        proof = digest_response(
            Credentials(username, self.users[username]),
            algorithm=algorithm,
            realm=self._realm,
            nonce=nonce,
            method=request.method,
            uri=fields.get("uri", ""),
            qop=fields.get("qop", ""),
            nc=fields.get("nc", ""),
            cnonce=fields.get("cnonce", ""),
        )
        if proof != fields.get("response", "").lower():
            self.wrong += 1
            return Verdict.WRONG
        # RFC 7616 3.3: stale says that the proof was right, for a nonce that no longer counts.
        if now - self._nonces.get(nonce, float("-inf")) > self._nonce_s:
            return Verdict.STALE
        if self._qop and "nc" in fields:
            count = int(fields["nc"], 16) if re.fullmatch("[0-9a-fA-F]+", fields["nc"]) else 0
            if count <= self._counts.get(nonce, 0):
                return Verdict.STALE  # a replay
            self._counts[nonce] = count
        return Verdict.RIGHT
