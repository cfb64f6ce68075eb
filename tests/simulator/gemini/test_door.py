"""The port shut for a while, and another certificate behind it."""

import ssl
from pathlib import Path

import pytest

from simulator.gemini import FakeGemini, kept_authority
from tests.simulator.gemini.bench import Bench, play


def test_a_shut_door_refuses_and_opens_again_at_the_same_port() -> None:
    async def scenario(bench: Bench) -> None:
        port = bench.gemini.port
        async with bench.live():
            await bench.gemini.connected()
        async with bench.gemini.door.locked():
            with pytest.raises(ConnectionRefusedError):
                await bench.live().__aenter__()
        assert bench.gemini.port == port
        async with bench.live():
            await bench.gemini.connected(1)

    fake = play(scenario)
    assert len(fake.sessions) == 2


def test_a_strange_certificate_is_refused_by_the_peer_and_then_gone(tmp_path: Path) -> None:
    async def scenario(bench: Bench) -> None:
        async with bench.gemini.door.showing(kept_authority(tmp_path)):
            with pytest.raises(ssl.SSLCertVerificationError):
                await bench.live().__aenter__()
        async with bench.live():
            await bench.gemini.connected()

    # In debug mode asyncio reports each handshake that fails.
    fake = play(scenario, debug=False)
    assert len(fake.sessions) == 1


def test_connections_that_are_up_end_when_the_door_is_locked() -> None:
    async def scenario(bench: Bench) -> None:
        live = bench.live()
        await live.__aenter__()
        async with bench.gemini.door.locked():
            assert bench.gemini.open_sessions == 0
        await live.__aexit__(None, None, None)

    assert play(scenario).session(0).closed == (1006, "")


def test_plain_connections_have_a_door_too() -> None:
    async def scenario(bench: Bench) -> None:
        async with bench.gemini.door.locked():
            pass
        assert bench.gemini.url == f"http://127.0.0.1:{bench.gemini.port}"

    play(scenario, FakeGemini(tls=False))
