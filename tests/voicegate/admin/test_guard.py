"""Who may ask."""

from collections.abc import AsyncIterator, Awaitable, Callable
from types import SimpleNamespace
from typing import cast

import aiohttp
import pytest
from aiohttp import web

from voicegate.admin.guard import guarded

Ask = Callable[..., Awaitable[int]]


@pytest.fixture(params=["", "open sesame"])
async def ask(request: pytest.FixtureRequest) -> AsyncIterator[Ask]:
    """Ask a guarded route with these headers; give the status."""

    async def answer(_request: web.Request) -> web.Response:
        return web.Response(text="told")

    app = web.Application()
    app.router.add_post("/x", guarded(request.param, answer))
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    port = runner.addresses[0][1]

    async with aiohttp.ClientSession(trust_env=False) as client:

        async def asked(headers: dict[str, str], query: str = "") -> int:
            headers = {name: text.replace("PORT", str(port)) for name, text in headers.items()}
            url = f"http://127.0.0.1:{port}/x{query}"
            async with client.post(url, headers=headers) as response:
                return response.status

        yield asked
    await runner.cleanup()


TOKEN = {"Authorization": "Bearer open sesame"}
with_token = pytest.mark.parametrize("ask", ["open sesame"], indirect=True)
without_token = pytest.mark.parametrize("ask", [""], indirect=True)


@with_token
async def test_only_the_token_opens(ask: Ask) -> None:
    assert await ask({}) == 401
    assert await ask({"Authorization": "Bearer open sesam"}) == 401
    assert await ask(TOKEN) == 200
    assert await ask(TOKEN | {"Host": "voicegate.example"}) == 200


@with_token
async def test_a_token_in_the_url_is_not_looked_at(ask: Ask) -> None:
    assert await ask({}, "?token=open%20sesame") == 401


@without_token
async def test_a_name_that_points_at_us_is_refused(ask: Ask) -> None:
    assert await ask({}) == 200
    assert await ask({"Host": "localhost:PORT"}) == 200
    assert await ask({"Host": "[::1]:PORT"}) == 200
    assert await ask({"Host": "rebound.example:PORT"}) == 403


async def test_a_page_from_elsewhere_is_refused(ask: Ask) -> None:
    assert await ask(TOKEN | {"Origin": "http://127.0.0.1:PORT"}) == 200
    assert await ask(TOKEN | {"Origin": "http://127.0.0.1:1"}) == 403
    assert await ask(TOKEN | {"Origin": "https://evil.example"}) == 403
    assert await ask(TOKEN | {"Origin": "null"}) == 403


@pytest.mark.parametrize(
    ("headers", "refusal"),
    [
        ({"Authorization": "Bearer \udcff"}, web.HTTPUnauthorized),
        ({"Authorization": "Bearer t", "Origin": "http://["}, web.HTTPForbidden),
    ],
)
async def test_what_cannot_be_read_is_refused_and_no_fault_of_ours(
    headers: dict[str, str], refusal: type[web.HTTPException]
) -> None:
    async def answer(_request: web.Request) -> web.Response:
        raise AssertionError

    with pytest.raises(refusal):
        await guarded("t", answer)(cast(web.Request, SimpleNamespace(headers=headers, host="h")))
