"""The webhook: retried with back-off, given up, bounded, and nothing of it left."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web

from voicegate.record.webhook import END_LIMIT_S, PAUSES_S, REPORTS_MAX, open_webhook

pytestmark = pytest.mark.virtual


class Receiver:
    """Answers with the statuses it is given, the last one again and again."""

    def __init__(self, *statuses: int) -> None:
        self.statuses = list(statuses)
        self.got: list[tuple[float, Any]] = []
        self.url = ""

    async def answer(self, request: web.Request) -> web.Response:
        # a connection that is kept would outlive the call
        assert request.headers["Connection"] == "close"
        self.got.append((asyncio.get_running_loop().time(), await request.json()))
        status = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
        return web.Response(status=status)

    @asynccontextmanager
    async def listening(self) -> AsyncIterator["Receiver"]:
        app = web.Application()
        app.router.add_post("/calls", self.answer)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        try:
            site = web.TCPSite(runner, "127.0.0.1", 0)
            await site.start()
            self.url = f"http://127.0.0.1:{runner.addresses[0][1]}/calls"
            yield self
        finally:
            await runner.cleanup()

    @property
    def pauses(self) -> list[float]:
        times = [at for at, _ in self.got]
        return [round(after - before, 1) for before, after in itertools.pairwise(times)]


async def test_a_recordings_report_is_posted_as_json() -> None:
    receiver = Receiver(204)
    async with receiver.listening(), open_webhook(receiver.url) as webhook:
        webhook.post({"id": "a", "from": "*1234"})
        await asyncio.sleep(1)
        assert webhook.sent == 1
    assert [body for _, body in receiver.got] == [{"id": "a", "from": "*1234"}]


async def test_a_server_in_trouble_is_asked_again_with_back_off() -> None:
    receiver = Receiver(500, 503, 200)
    async with receiver.listening(), open_webhook(receiver.url) as webhook:
        webhook.post({"id": "a"})
        await asyncio.sleep(30)
        assert (webhook.sent, webhook.given_up) == (1, 0)
    assert receiver.pauses == [1.0, 2.0]


async def test_a_server_that_stays_in_trouble_is_given_up_and_the_next_report_is_sent() -> None:
    receiver = Receiver(*(500 for _ in range(len(PAUSES_S) + 1)), 200)
    async with receiver.listening(), open_webhook(receiver.url) as webhook:
        webhook.post({"id": "a"})
        webhook.post({"id": "b"})
        await asyncio.sleep(sum(PAUSES_S) + 10)
        assert (webhook.sent, webhook.given_up) == (1, 1)
    assert [body["id"] for _, body in receiver.got] == ["a"] * (len(PAUSES_S) + 1) + ["b"]
    assert receiver.pauses[: len(PAUSES_S)] == list(PAUSES_S)


@pytest.mark.parametrize("status", [400, 404, 301])
async def test_a_refusal_is_not_repeated(status: int) -> None:
    receiver = Receiver(status)
    async with receiver.listening(), open_webhook(receiver.url) as webhook:
        webhook.post({"id": "a"})
        await asyncio.sleep(60)
        assert (webhook.sent, webhook.given_up, len(receiver.got)) == (0, 1, 1)


async def test_nobody_listening_is_given_up() -> None:
    async with Receiver(200).listening() as gone:
        pass
    async with open_webhook(gone.url) as webhook:
        webhook.post({"id": "a"})
        await asyncio.sleep(sum(PAUSES_S) + 10)
        assert webhook.given_up == 1


async def test_too_many_reports_are_dropped_and_the_end_is_bounded() -> None:
    receiver = Receiver(500)
    loop = asyncio.get_running_loop()
    async with receiver.listening():
        async with open_webhook(receiver.url) as webhook:
            for number in range(REPORTS_MAX + 2):
                webhook.post({"id": number})
            assert webhook.given_up == 2
            ending_at = loop.time()
        assert loop.time() - ending_at == pytest.approx(END_LIMIT_S, abs=0.1)
