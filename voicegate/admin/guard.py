"""Who may ask: the token, and for browsers the proof that the page which asks is our own.

Without a token (loopback only) any web page that the operator's browser has open could reach us:
by a form (a POST from elsewhere) or by a name that it lets point at 127.0.0.1. Both are refused.
"""

import hmac
import ipaddress
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from aiohttp import web

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


def guarded(token: str, answer: Answer) -> Answer:
    """Let through who has the bearer token, where one is set, and does not come from elsewhere.

    A token is never taken from the URL: URLs are kept in histories and logs.
    """

    async def asked(request: web.Request) -> web.StreamResponse:
        given = request.headers.get("Authorization", "").removeprefix("Bearer ").strip()
        if token and not _same(given, token):
            raise web.HTTPUnauthorized(headers={"WWW-Authenticate": "Bearer"})
        if not token and not _is_plain(request.host):
            raise web.HTTPForbidden(text="ask by address or as localhost, or set admin.token")
        if _from_elsewhere(request):
            raise web.HTTPForbidden(text="a page from elsewhere asks")
        return await answer(request)

    return asked


def _same(given: str, token: str) -> bool:
    # what is no UTF-8 comes as surrogates, which a strict encoding would make a fault of ours
    return hmac.compare_digest(given.encode(errors="surrogateescape"), token.encode())


def _is_plain(host: str) -> bool:
    """Whether a Host header is an address or localhost: no name that somebody else may point."""
    try:
        name = urlsplit(f"//{host}").hostname or ""
        return name == "localhost" or bool(ipaddress.ip_address(name))
    except ValueError:
        return False


def _from_elsewhere(request: web.Request) -> bool:
    """Whether a browser says that another site's page asks; programs say nothing."""
    origin = request.headers.get("Origin")
    return origin is not None and origin.partition("://")[2] != request.host
