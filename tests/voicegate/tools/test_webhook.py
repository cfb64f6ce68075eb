"""A webhook: what is posted, and what is made of every kind of answer."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from aiohttp import web

from voicegate.settings import WebhookSettings
from voicegate.tools.tool import OnCall, ToolFailed, Workshop
from voicegate.tools.webhook import MAX_ANSWER_BYTES, open_http, webhook_tool

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def served(answer: Answer) -> AsyncIterator[str]:
    """Somebody's service, on a port of its own."""
    app = web.Application()
    app.router.add_post("/tool", answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0][:2]
        yield f"http://{host}:{port}/tool"
    finally:
        await runner.cleanup()


async def asked(url: str, on_call: OnCall, **arguments: object) -> object:
    settings = WebhookSettings.model_validate(
        {
            "name": "lookup",
            "description": "Looks up.",
            "url": url,
            "headers": {"Authorization": "Bearer x"},
        }
    )
    async with open_http() as http:
        on = replace(on_call, workshop=Workshop(None, http))
        return await webhook_tool(settings).run(arguments, on)


async def test_arguments_and_call_are_posted_and_json_is_the_result(on_call: OnCall) -> None:
    seen: list[object] = []

    async def answer(request: web.Request) -> web.Response:
        seen.extend((await request.json(), request.headers["Authorization"]))
        return web.json_response({"order": "sent"})

    async with served(answer) as url:
        assert await asked(url, on_call, order="17") == {"order": "sent"}
    call = {"id": "id-1", "caller": "+3591", "called": "100"}
    assert seen == [{"tool": "lookup", "arguments": {"order": "17"}, "call": call}, "Bearer x"]


@pytest.mark.parametrize(
    ("body", "charset", "result"),
    [
        (b"fine", "utf-8", "fine"),
        (b"", "utf-8", ""),
        (b"Zo\xeb", "latin-1", "Zo\u00eb"),
        (b"\xff", "utf-8", "\ufffd"),
        (b"fine", "no-such-charset", "fine"),
        (b"[" * 100_000, "utf-8", "[" * 100_000),
    ],
)
async def test_anything_else_is_text(
    on_call: OnCall, body: bytes, charset: str, result: str
) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(body=body, headers={"Content-Type": f"text/plain; charset={charset}"})

    async with served(answer) as url:
        assert await asked(url, on_call) == result


@pytest.mark.parametrize("status", [302, 404, 500])
async def test_a_refusal_is_told_with_its_status(on_call: OnCall, status: int) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=status, headers={"Location": "/elsewhere"})

    async with served(answer) as url:
        with pytest.raises(ToolFailed, match=f"HTTP {status}"):
            await asked(url, on_call)


async def test_of_an_endless_answer_only_so_much_is_read(on_call: OnCall) -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        try:
            while True:
                await response.write(b"x" * 65536)
        except ConnectionError:
            return response

    async with served(answer) as url:
        found = await asked(url, on_call)
    assert isinstance(found, str)
    assert 0 < len(found) <= MAX_ANSWER_BYTES


async def test_a_service_that_is_down_is_told(on_call: OnCall) -> None:
    with pytest.raises(ToolFailed, match="cannot be reached"):
        await asked("http://127.0.0.1:9/tool", on_call)


async def test_a_service_that_breaks_off_is_told(on_call: OnCall) -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        assert request.transport is not None
        request.transport.abort()
        await asyncio.sleep(0)
        return web.Response()

    async with served(answer) as url:
        with pytest.raises(ToolFailed, match="cannot be reached"):
            await asked(url, on_call)
