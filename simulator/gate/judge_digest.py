"""The judge of digest authentication, both ways (RFC 3261 22, RFC 7616, RFC 8760)."""

import re
from collections.abc import Iterator, Mapping

from .digest import HASHES, Challenge, fields_of
from .judge import Violation
from .wire import RawMessage

SECTION = "RFC 7616 3.4"
_PROOF = re.compile(r"[0-9a-f]{32}([0-9a-f]{32})?")


def judge_challenge(response: RawMessage) -> list[Violation]:
    """What is wrong with the challenges of a 401 or 407 (that one is there is judged elsewhere)."""
    name = "www-authenticate" if response.status == 401 else "proxy-authenticate"
    found: list[Violation] = []
    for value in response.all(name):
        fields = fields_of(value)
        if not fields and not value.lower().startswith("digest"):
            continue  # another scheme: not ours to judge
        found += [
            Violation("challenge-field", "RFC 7616 3.3", f"challenge without {field}: {value!r}")
            for field in ("realm", "nonce")
            if not fields.get(field)
        ]
        if "qop" not in fields:
            # RFC 3261 22.4 (8): servers MUST always send qop.
            found.append(Violation("challenge-qop", "RFC 3261 22.4", f"no qop in {value!r}"))
        if fields.get("stale", "false").lower() not in ("true", "false"):
            text = f"stale={fields['stale']}"
            found.append(Violation("challenge-field", "RFC 7616 3.3", text))
    return found


def judge_credentials(
    request: RawMessage, value: str, challenge: Challenge, counts: Mapping[str, int]
) -> list[Violation]:
    """What is wrong with credentials, the proof apart; `counts` is the highest nc by nonce."""
    fields = fields_of(value)
    found = [*_presence_rules(fields, challenge), *_echo_rules(request, fields, challenge)]
    if "nc" in fields and fields.get("nonce") in counts:
        count = int(fields["nc"], 16) if re.fullmatch("[0-9a-fA-F]{8}", fields["nc"]) else -1
        if count <= counts[fields["nonce"]]:
            text = f"nc={fields['nc']} after {counts[fields['nonce']]:08x} with one nonce"
            found.append(Violation("digest-nc", SECTION, text))
    return found


def _presence_rules(fields: Mapping[str, str], challenge: Challenge) -> Iterator[Violation]:
    for name in ("username", "realm", "nonce", "uri", "response"):
        if name not in fields:
            yield Violation("digest-field", SECTION, f"credentials without {name}")
    if not _PROOF.fullmatch(fields.get("response", "0" * 32)):
        yield Violation("digest-field", SECTION, f"response={fields['response']!r}")
    if not challenge.qop:
        return
    # RFC 3261 22.4 (9): a qop in the challenge must be answered with one.
    for name in ("qop", "nc", "cnonce"):
        if name not in fields:
            yield Violation("digest-qop", "RFC 3261 22.4", f"credentials without {name}")
    if fields.get("qop", challenge.qop[0]) not in challenge.qop:
        text = f"qop={fields['qop']}, offered {challenge.qop}"
        yield Violation("digest-qop", "RFC 3261 22.4", text)
    if not re.fullmatch("[0-9a-fA-F]{8}", fields.get("nc", "00000001")):
        yield Violation("digest-nc", SECTION, f"nc={fields['nc']!r}")


def _echo_rules(
    request: RawMessage, fields: Mapping[str, str], challenge: Challenge
) -> Iterator[Violation]:
    if fields.get("realm", challenge.realm) != challenge.realm:
        text = f"realm {fields['realm']!r}, challenged {challenge.realm!r}"
        yield Violation("digest-realm", SECTION, text)
    if fields.get("opaque") != challenge.opaque:
        text = f"opaque {fields.get('opaque')!r}, challenged {challenge.opaque!r}"
        yield Violation("digest-opaque", SECTION, text)
    algorithm = fields.get("algorithm", "MD5").upper()
    if algorithm not in HASHES:
        yield Violation("digest-algorithm", "RFC 8760 2.4", f"algorithm {algorithm}")
    if fields.get("uri", request.request_uri) != request.request_uri:
        text = f"uri {fields['uri']!r} in a request to {request.request_uri!r}"
        yield Violation("digest-uri", "RFC 3261 22.4/RFC 7616 3.4.6", text)
