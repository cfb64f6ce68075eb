"""Settings change while calls go on: all or nothing, from the next call on."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from scenarios.test_tools import answers
from simulator.gate.gate import SimulatedGate
from simulator.gemini.script import tool_call
from simulator.gemini.server import FakeGemini
from simulator.witness.witness import Witness
from voicegate.config import Config, load
from voicegate.gateway import Gateway
from voicegate.reloading import Reloaded, compare
from voicegate.windows import reload_signal

pytestmark = pytest.mark.virtual

FILE = """\
[sip]
port = 0
[admin]
port = 0
token = "open sesame"
[gemini]
voice = "{voice}"
[call]
greeting = "{greeting}"
"""
TOKEN = {"Authorization": "Bearer open sesame"}


def configured(**sections: object) -> Config:
    return load(environ={}, dotenv=None, overrides=sections)


def test_what_each_call_reads_is_taken_and_the_rest_is_named() -> None:
    old = configured(gemini={"api_key": "a", "voice": "Puck"})
    new = configured(
        gemini={"api_key": "b", "voice": "Kore"},
        sip={"max_calls": 3},
        call={"greeting": "Hi."},
        route=[{"called": "100"}],
    )
    config, found = compare(old, new)
    assert found == Reloaded(
        applied=("call.greeting", "gemini.voice", "route"),
        need_restart=("sip.max_calls", "gemini.api_key"),
    )
    assert (config.gemini.voice, config.call.greeting) == ("Kore", "Hi.")
    assert config.gemini.api_key.get_secret_value() == "a"
    assert config.sip.max_calls == old.sip.max_calls


def test_the_same_settings_change_nothing() -> None:
    old = configured(route=[{"called": "100"}])
    config, found = compare(old, configured(route=[{"called": "100"}]))
    assert (config, found) == (old, Reloaded((), ()))


def write(file: Path, text: str) -> None:
    file.write_text(text, encoding="utf-8")


@pytest.fixture
def settings_file(tmp_path: Path) -> Path:
    path = tmp_path / "voicegate.toml"
    write(path, FILE.format(voice="Puck", greeting="Be kind."))
    return path


@pytest.fixture
async def gateway(
    errors: Witness, gemini: FakeGemini, settings_file: Path
) -> AsyncIterator[Gateway]:
    """A gateway that reads a file."""

    def read() -> Config:
        return load(settings_file, dotenv=None)

    gateway = Gateway(read(), read_again=read)
    async with asyncio.TaskGroup() as group:
        group.create_task(gateway.serve())
        await gateway.ready.wait()
        yield gateway
        gateway.stop()


@pytest.fixture
async def http(gateway: Gateway) -> AsyncIterator[aiohttp.ClientSession]:
    assert gateway.admin_address
    base = f"http://127.0.0.1:{gateway.admin_address.port}"
    async with aiohttp.ClientSession(base, trust_env=False) as client:
        yield client


def voice_of(gemini: FakeGemini, number: int) -> str:
    config = gemini.session(number).setup["generationConfig"]["speechConfig"]["voiceConfig"]
    name: str = config["prebuiltVoiceConfig"]["voiceName"]
    return name


async def test_a_call_keeps_its_plan_and_the_next_one_has_the_new_one(
    gateway: Gateway,
    gate: SimulatedGate,
    gemini: FakeGemini,
    http: aiohttp.ClientSession,
    settings_file: Path,
) -> None:
    first = await gate.dial("1000")
    write(settings_file, FILE.format(voice="Kore", greeting="Be brief."))
    async with http.post("/reload", headers=TOKEN) as answer:
        assert (answer.status, await answer.json()) == (
            200,
            {"applied": ["call.greeting", "gemini.voice"], "need_restart": []},
        )
    gemini.session(0).close(1011, "Internal error encountered.")
    await first.lasts(3)
    async with gate.dial("1000") as second:
        await second.lasts(1)
    assert first.ended_by is None
    # the first call took up its conversation again as it was begun
    assert [voice_of(gemini, number) for number in range(3)] == ["Puck", "Puck", "Kore"]
    await first.hang_up()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[call]\ngreting = 'x'\n", "call.greting: Extra inputs are not permitted"),
        ("[call]\ngreeting_wav = 'none.wav'\n", "call.greeting_wav: 'none.wav' No such file"),
        ("[[route]]\ntools = ['fly']\n", "route.0.tools: there is no 'fly'"),
        ("not toml", "Expected '='"),
    ],
)
async def test_one_fault_and_nothing_has_changed(
    gateway: Gateway, http: aiohttp.ClientSession, settings_file: Path, text: str, says: str
) -> None:
    before = gateway.config
    write(settings_file, "[gemini]\nvoice = 'Kore'\n" + text)
    async with http.post("/reload", headers=TOKEN) as answer:
        assert answer.status == 422
        [refused] = (await answer.json())["refused"]
    assert says in refused
    assert gateway.config is before


async def test_strangers_reload_nothing(http: aiohttp.ClientSession) -> None:
    async with http.post("/reload") as answer:
        assert answer.status == 401


async def test_a_tool_that_needs_more_than_there_was_gets_it(
    gateway: Gateway, gate: SimulatedGate, gemini: FakeGemini, settings_file: Path
) -> None:
    webhook = 'name = "find"\ndescription = "Finds."\nurl = "http://127.0.0.1:9"'
    text = FILE.format(voice="Puck", greeting="Be kind.")
    write(settings_file, f"{text}[[tools.webhook]]\n{webhook}\n")
    for _ in range(2):
        await gateway.plans.reload()
    gemini.on_text(tool_call("find", "id-1"))
    async with gate.dial("1000") as call:
        await call.lasts(8)
    [answer] = answers(gemini.session(0))
    assert answer["response"] == {"error": "the service cannot be reached (ClientConnectorError)"}


@pytest.mark.skipif(sys.platform == "win32", reason="SIGHUP is POSIX's")
async def test_a_hangup_signal_reloads_and_a_fault_is_one_line(
    gateway: Gateway, settings_file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with reload_signal(gateway.plans.ask_to_reload):
        write(settings_file, FILE.format(voice="Kore", greeting="Hi."))
        signal.raise_signal(signal.SIGHUP)
        await asyncio.sleep(1)
        assert gateway.config.gemini.voice == "Kore"
        write(settings_file, "[call]\ngreting = 'x'\n")
        signal.raise_signal(signal.SIGHUP)
        await asyncio.sleep(1)
    assert gateway.config.gemini.voice == "Kore"
    assert "reload refused" in caplog.text
    assert "call.greting: Extra inputs" in caplog.text
