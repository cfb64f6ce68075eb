"""What the fake knows about itself."""

import asyncio

import pytest
from google import genai
from websockets.asyncio.client import connect

from simulator.audio.sound import stamps
from simulator.gemini import FakeGemini
from simulator.witness import Witness
from tests.simulator.gemini.bench import MODEL, PATH, Bench, play, read, setup, speak


def test_sessions_that_do_not_exist_are_named() -> None:
    with pytest.raises(LookupError, match="no conversation 2: 0 connected"):
        FakeGemini().session(2)


def test_the_environment_sends_an_unmodified_program_here() -> None:
    async def scenario(bench: Bench) -> None:
        environment = bench.gemini.environment
        assert environment["GOOGLE_GEMINI_BASE_URL"] == f"https://127.0.0.1:{bench.gemini.port}"
        with pytest.MonkeyPatch.context() as patch:
            for name, value in environment.items():
                patch.setenv(name, value)
            client = genai.Client()
        # The SDK's own default: version v1, and a URL with a double slash.
        async with client.aio.live.connect(model=MODEL):
            pass
        await client.aio.aclose()

    fake = play(scenario)
    fake.check()
    assert fake.session(0).access.version == "v1"


def test_fakes_of_one_process_share_their_authority() -> None:
    assert FakeGemini().ca_file == FakeGemini().ca_file


def test_conversations_have_identities_of_their_own() -> None:
    fake = FakeGemini()
    assert [fake.identity_of(number) for number in (0, 1, 127, 128)] == [128, 129, 255, 128]


def test_fifty_conversations_at_once_leave_nothing() -> None:
    fake = FakeGemini()
    fake.always(say=stamps(every_s=0.5))

    async def call(bench: Bench) -> None:
        async with bench.live() as session:
            await speak(session, stamps(count=1).pcm(7, 16_000))

    async def scenario(bench: Bench) -> None:
        await asyncio.gather(*(call(bench) for _ in range(50)))

    play(scenario, fake, debug=False).check()
    assert len(fake.sessions) == 50
    assert all(session.closed == (1000, "") for session in fake.sessions)
    assert all(session.spoken.only_from(session, at_least=2) for session in fake.sessions)


def test_a_plain_listener_on_demand() -> None:
    fake = FakeGemini(tls=False)

    async def scenario(bench: Bench) -> None:
        url = fake.url.replace("http", "ws") + PATH + "?key=k"
        async with connect(url, proxy=None) as ws:
            await ws.send(setup())
            assert await read(ws) == {"setupComplete": {}}

    play(scenario, fake).check()


def test_every_model_may_be_made_to_behave_as_one() -> None:
    fake = FakeGemini(profile="gemini-3.1-flash-live-preview")

    async def scenario(bench: Bench) -> None:
        async with bench.live("gemini-3.8-live"):
            pass

    play(scenario, fake).check()
    assert not fake.session(0).rules.content_after_turn


def test_every_end_of_a_conversation_passes_the_leak_gate() -> None:
    fake = FakeGemini()
    fake.always(say=stamps(every_s=0.5))

    async def call(bench: Bench, number: int) -> None:
        async with bench.live() as session:
            await speak(session, stamps(count=1).pcm(7, 16_000))
            if number % 3 == 1:
                fake.sessions[-1].abort()
            if number % 3 == 2:
                fake.sessions[-1].close(1011, "Internal error encountered.")
                await fake.until(lambda: fake.open_sessions == 0)
        await fake.until(lambda: fake.open_sessions == 0)

    async def scenario(bench: Bench) -> None:
        with Witness() as witness:
            await call(bench, 0)
            await witness.settle()
            witness.baseline()
            for number in range(6):
                await call(bench, number)
                await witness.settle()
                witness.check(after=f"call {number}")

    play(scenario, fake, debug=False).check()
    assert [session.closed[0] for session in fake.sessions if session.closed] == [
        1000,
        *(1000, 1006, 1011) * 2,
    ]
