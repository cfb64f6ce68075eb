"""The HTTP side for operators: aiohttp in the gateway's own loop."""

import hmac
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from aiohttp import web

from voicegate import __version__
from voicegate.admin.resources import sample
from voicegate.sip.message import Address

if TYPE_CHECKING:
    from voicegate.gateway import Gateway

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def open_admin(gateway: "Gateway") -> AsyncIterator[Address]:
    """Listen as [admin] says for as long as the block runs; give the bound address."""
    settings = gateway.config.admin
    runner = web.AppRunner(admin_app(gateway), access_log=None, handle_signals=False)
    await runner.setup()
    try:
        site = web.TCPSite(runner, settings.host, settings.port)
        await site.start()
        host, port = runner.addresses[0][:2]
        yield Address(host, port)
    finally:
        await runner.cleanup()


def admin_app(gateway: "Gateway") -> web.Application:
    """Build the routes."""
    app = web.Application()
    token = gateway.config.admin.token.get_secret_value()

    async def health(_: web.Request) -> web.Response:
        return web.json_response({"status": "ok", "version": __version__})

    async def ready(_: web.Request) -> web.Response:
        takes_calls = gateway.takes_calls
        status = {"ready": takes_calls, "draining": gateway.draining, "calls": len(gateway.calls)}
        return web.json_response(status, status=200 if takes_calls else 503)

    async def resources(request: web.Request) -> web.Response:
        host_port = request.transport.get_extra_info("sockname") if request.transport else None
        return web.json_response(await sample(gateway, host_port[1] if host_port else 0))

    app.router.add_get("/health", health)  # open: balancers have no token
    app.router.add_get("/ready", _guarded(token, ready))
    app.router.add_get("/resources", _guarded(token, resources))
    return app


def _guarded(token: str, answer: Answer) -> Answer:
    """Ask for the bearer token before the answer, where one is set."""

    async def asked(request: web.Request) -> web.StreamResponse:
        given = request.headers.get("Authorization", "").removeprefix("Bearer ").strip()
        if token and not _same(given, token):
            raise web.HTTPUnauthorized(headers={"WWW-Authenticate": "Bearer"})
        return await answer(request)

    return asked


def _same(given: str, token: str) -> bool:
    return hmac.compare_digest(given.encode(), token.encode())
