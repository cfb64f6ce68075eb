"""The way in: which paths exist and what counts as a credential (F2)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qs

_PATHS = re.compile(
    r"/ws/google\.ai\.generativelanguage\.(?P<ai>v1|v1beta|v1alpha)"
    r"\.GenerativeService\.BidiGenerateContent(?:Constrained)?"
    r"|/ws/google\.cloud\.aiplatform\.(?P<vertex>v1|v1beta1)"
    r"\.LlmBidiService/BidiGenerateContent"
)
_AUTHORIZATION = re.compile(r"(?:Token|Bearer)\s+(\S+)", re.IGNORECASE)


@dataclass(frozen=True)
class Access:
    """How a peer came in."""

    version: str
    """API version of the path: v1, v1beta, v1alpha, v1beta1."""
    vertex: bool
    """The path is the one of Vertex AI."""
    key: str
    """API key or token; empty where the peer gave none."""


def read_access(target: str, headers: Mapping[str, str]) -> Access | None:
    """Read an HTTP request target; None for a path that does not exist.

    `headers` by lower-case name.

    google-genai's default base URL ends in "/", so its path begins with "//ws/": never to be
    given to urlsplit, which takes that for a host.
    """
    path, _, query = target.partition("?")
    match = _PATHS.fullmatch(re.sub(r"/{2,}", "/", path))
    if match is None:
        return None
    vertex = match["vertex"] or ""
    return Access(match["ai"] or vertex, bool(vertex), _key(query, headers))


def _key(query: str, headers: Mapping[str, str]) -> str:
    given = parse_qs(query)
    authorization = _AUTHORIZATION.fullmatch(headers.get("authorization", "").strip())
    candidates = (
        headers.get("x-goog-api-key", ""),
        *given.get("key", []),
        *given.get("access_token", []),
        authorization[1] if authorization else "",
    )
    return next((key for key in candidates if key), "")
