"""The HTTP side for operators: aiohttp in the gateway's own loop."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from aiohttp import web

from voicegate import __version__
from voicegate.admin.guard import guarded
from voicegate.admin.live import Live
from voicegate.admin.metrics import exposition
from voicegate.admin.orders import Orders
from voicegate.admin.page import Page
from voicegate.admin.recordings import Recordings
from voicegate.admin.resources import sample
from voicegate.config import ConfigError
from voicegate.logs import get_logger
from voicegate.sip.message import Address

if TYPE_CHECKING:
    from voicegate.gateway import Gateway

log = get_logger(__name__)

SHUTDOWN_LIMIT_S = 1.0
METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"


@asynccontextmanager
async def open_admin(gateway: "Gateway") -> AsyncIterator[Address]:
    """Listen as [admin] says for as long as the block runs; give the bound address."""
    settings = gateway.config.admin
    runner = web.AppRunner(
        admin_app(gateway),
        access_log=None,
        handle_signals=False,
        shutdown_timeout=SHUTDOWN_LIMIT_S,
    )
    with gateway.board.complaints.counted(asyncio.get_running_loop()):
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
    recordings, live = Recordings(gateway), Live(gateway)
    answers = Answers(gateway, recordings)
    app.on_shutdown.append(live.end)
    # open: balancers have no token, and the page itself asks for it
    app.router.add_get("/health", answers.health)
    app.router.add_get("/", Page().answer)
    for path, answer in {
        "/ready": answers.ready,
        "/resources": answers.resources,
        "/metrics": answers.metrics,
        "/calls": answers.calls,
        "/live": live.stream,
        "/records": recordings.newest,
        "/records/{record}/waveform": recordings.waveform,
        "/records/{record}/{name}": recordings.file,
    }.items():
        app.router.add_get(path, guarded(token, answer), allow_head=False)
    app.router.add_post("/drain", guarded(token, answers.drain))
    orders = Orders(gateway)
    app.router.add_post("/calls", guarded(token, orders.call))
    app.router.add_delete("/calls/{id}", guarded(token, orders.end))
    app.router.add_post("/reload", guarded(token, answers.reload))
    return app


class Answers:
    """What is answered, route by route."""

    def __init__(self, gateway: "Gateway", recordings: Recordings) -> None:
        self._gateway = gateway
        self._recordings = recordings

    async def health(self, _request: web.Request) -> web.Response:
        """Say that the loop turns."""
        return web.json_response({"status": "ok", "version": __version__})

    async def ready(self, _request: web.Request) -> web.Response:
        """Say whether new calls are admitted."""
        takes_calls = self._gateway.takes_calls
        # a registration that is lost keeps no call out: it is told, and is no reason to restart us
        registrations = {
            str(one.account.registrar): one.state.value for one in self._gateway.agent.registrations
        }
        status = self._status() | {"ready": takes_calls, "registrations": registrations}
        return web.json_response(status, status=200 if takes_calls else 503)

    async def resources(self, request: web.Request) -> web.Response:
        """Say what the process holds."""
        return web.json_response(await self._held(request))

    async def metrics(self, request: web.Request) -> web.Response:
        """Give the figures for Prometheus."""
        text = exposition(self._gateway, await self._held(request))
        return web.Response(body=text, headers={"Content-Type": METRICS_TYPE})

    async def calls(self, _request: web.Request) -> web.Response:
        """Give the running calls and the last ones that are over."""
        board = self._gateway.board
        recent = await self._recordings.beside(board.recent())
        return web.json_response({"running": board.pictures(), "recent": recent})

    async def drain(self, _request: web.Request) -> web.Response:
        """Take no more calls; the process ends with the last one. Harmless twice."""
        if not self._gateway.draining:
            log.info("drain asked for by the admin side")
            self._gateway.drain()
        return web.json_response(self._status(), status=202)

    async def reload(self, _request: web.Request) -> web.Response:
        """Take the settings as they are now, all or nothing; say what that changed."""
        try:
            changes = await self._gateway.plans.reload()
        except ConfigError as error:
            return web.json_response({"refused": str(error).splitlines()}, status=422)
        return web.json_response(asdict(changes))

    def _status(self) -> dict[str, Any]:
        return {"draining": self._gateway.draining, "calls": len(self._gateway.calls)}

    async def _held(self, request: web.Request) -> dict[str, Any]:
        host_port = request.transport.get_extra_info("sockname") if request.transport else None
        return await sample(self._gateway, host_port[1] if host_port else 0)
