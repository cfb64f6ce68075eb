"""A gateway of this folder as a process of its own, for a harness that judges from outside."""

import argparse
import asyncio
import contextlib
import json
import signal
import sys
from typing import Any

import psutil
from aiohttp import web

from tests.bad_gateways.base import BaseGateway

ADMIN_TASKS = ("RequestHandler.", "TCPSite", "AppRunner")


def serve(gateway: type[BaseGateway]) -> None:
    """Run it until SIGINT or SIGTERM.

    GOOGLE_GEMINI_BASE_URL, SSL_CERT_FILE and GEMINI_API_KEY say where the model is.
    """
    parser = argparse.ArgumentParser(description=(sys.modules["__main__"].__doc__ or "").strip())
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=5070)
    parser.add_argument("--admin-port", type=int, default=0)
    parser.add_argument("--rtp-ports", type=int, nargs=2, default=(30000, 30398))
    chosen = parser.parse_args()
    asyncio.run(_serve(gateway, chosen))


async def _serve(make: type[BaseGateway], chosen: argparse.Namespace) -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    with contextlib.suppress(NotImplementedError):  # Windows: Ctrl+C ends asyncio.run()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stopped.set)
    async with make(chosen.host, chosen.port, rtp_ports=tuple(chosen.rtp_ports)) as gateway:
        runner = web.AppRunner(_admin(gateway), access_log=None)
        await runner.setup()
        try:
            site = web.TCPSite(runner, "127.0.0.1", chosen.admin_port)
            await site.start()
            admin_port = runner.addresses[0][1]
            ready = {"event": "gateway ready", "port": gateway.address[1], "admin_port": admin_port}
            sys.stderr.write(json.dumps(ready) + "\n")
            sys.stderr.flush()
            await stopped.wait()
        finally:
            await runner.cleanup()


def _admin(gateway: BaseGateway) -> web.Application:
    async def healthy(_request: web.Request) -> web.Response:
        return web.json_response({"status": "ok"})

    async def resources(request: web.Request) -> web.Response:
        assert request.transport is not None
        port = request.transport.get_extra_info("sockname")[1]
        return web.json_response(await _without_admin(gateway, port))

    application = web.Application()
    application.router.add_get("/health", healthy)
    application.router.add_get("/ready", healthy)
    application.router.add_get("/resources", resources)
    return application


async def _without_admin(gateway: BaseGateway, port: int) -> dict[str, Any]:
    """What the gateway holds, without what the question itself needs."""
    found = await gateway.resources()
    connections = psutil.Process().net_connections("inet")
    found["sockets"] = sum(one.laddr.port != port for one in connections if one.laddr)
    tasks = (t for t in asyncio.all_tasks() if t is not asyncio.current_task())
    found["tasks"] = sorted(name for t in tasks if not (name := _name(t)).startswith(ADMIN_TASKS))
    return found


def _name(task: asyncio.Task[Any]) -> str:
    """An unnamed task goes by its coroutine."""
    coroutine = getattr(task.get_coro(), "__qualname__", "unknown")
    return coroutine if task.get_name().startswith("Task-") else task.get_name()
