"""`gatesim gemini`: unmodified clients come to it by environment variables alone."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.simulator.commands.processes import (
    interrupt,
    interrupts,
    refused,
    running_gatesim,
    tell_to_end,
)
from tests.wine import not_under_wine

LIVE_CLIENT = """
import asyncio, math, struct
from google import genai
from google.genai import types

async def main():
    client = genai.Client()
    heard, said = bytearray(), ""
    config = {"response_modalities": ["AUDIO"], "output_audio_transcription": {}}
    async with client.aio.live.connect(model="gemini-3.8-live", config=config) as session:
        async def speak():
            for n in range(75):
                level = 9000 if n < 25 else 0
                samples = (int(level * math.sin(i * 0.2)) for i in range(n * 320, (n + 1) * 320))
                data = b"".join(struct.pack("<h", sample) for sample in samples)
                blob = types.Blob(data=data, mime_type="audio/pcm;rate=16000")
                await session.send_realtime_input(audio=blob)
                await asyncio.sleep(0.02)
        speaking = asyncio.create_task(speak())
        async for message in session.receive():
            heard += message.data or b""
            content = message.server_content
            if content and content.output_transcription:
                said += content.output_transcription.text
        await speaking
    print(len(heard) / 48000, said)

asyncio.run(main())
"""
"""As any example of a Live client: it knows nothing of a fake."""

SCRIPT = """
[[on_connect]]
say = "Good day"

[[on_text]]
containing = "weather"
say = { words = "It rains", burst = 20.0 }
close = { code = 1011, reason = "Internal error encountered." }
"""

TEXT_CLIENT = """
import asyncio
from google import genai
from google.genai import errors

async def main():
    client = genai.Client()
    async with client.aio.live.connect(model="gemini-3.8-live", config={}) as session:
        await session.send_realtime_input(text="How is the weather?")
        try:
            while True:
                async for message in session.receive():
                    pass
        except errors.APIError as error:
            print(error.code)

asyncio.run(main())
"""


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Where certificates are kept unless told otherwise: not in the user's own folder here."""
    for name in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(name, str(tmp_path))
    return tmp_path


def run_client(code: str, told: dict[str, str]) -> str:
    run = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **told},
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    return run.stdout.strip()


def told_environment(process: "subprocess.Popen[str]") -> dict[str, str]:
    assert process.stdout is not None
    first: dict[str, Any] = json.loads(process.stdout.readline())
    assert list(first) == ["environment"]
    found: dict[str, str] = first["environment"]
    return found


@interrupts
def test_an_unmodified_client_is_answered_with_audio_and_reported(home: Path) -> None:
    with running_gatesim("gemini", "--listen", "127.0.0.1:0", "--json") as process:
        told = told_environment(process)
        assert {"GOOGLE_GEMINI_BASE_URL", "SSL_CERT_FILE", "GEMINI_API_KEY"} <= set(told)
        # the same for every run, so that a gateway elsewhere need not be started again
        assert told["SSL_CERT_FILE"] == str(home / ".voicegate" / "certificates" / "ca.pem")

        assert run_client(LIVE_CLIENT, told) == "1.5 This is reply 1."

        assert process.stdout is not None
        conversation = json.loads(process.stdout.readline())["conversation"]
        assert conversation["utterances"] == 1
        assert conversation["heard_speech"]
        assert conversation["closed"] == {"code": 1000, "reason": ""}
        assert conversation["received"]["audio"] == 75
        assert conversation["spoken_s"] == 1.5
        assert conversation["violations"] == []
        rest, errors = interrupt(process)
    assert json.loads(rest)["report"]["conversations"] == 1
    assert (process.returncode, errors) == (0, "")


@interrupts
def test_a_script_decides_what_is_said_and_how_it_ends(tmp_path: Path) -> None:
    script, folder = tmp_path / "script.toml", tmp_path / "certificates"
    script.write_text(SCRIPT)
    arguments = ("gemini", "--script", str(script), "--certificates", str(folder), "--json")

    with running_gatesim(*arguments) as process:
        told = told_environment(process)
        assert told["SSL_CERT_FILE"] == str(folder / "ca.pem")
        assert run_client(TEXT_CLIENT, told) == "1011"
        interrupt(process)

    assert process.returncode == 0
    assert (folder / "ca.pem").is_file()


@pytest.mark.skipif(sys.platform == "darwin", reason="has no 127.0.0.2")
@interrupts
def test_a_client_believes_it_on_another_address_as_well() -> None:
    with running_gatesim("gemini", "--listen", "127.0.0.2:0", "--json") as process:
        told = told_environment(process)
        assert told["GOOGLE_GEMINI_BASE_URL"].startswith("https://127.0.0.2:")
        assert run_client(LIVE_CLIENT, told).startswith("1.5")
        interrupt(process)


@interrupts
def test_people_are_told_the_environment_and_the_totals() -> None:
    with running_gatesim("gemini") as process:
        assert process.stdout is not None
        assert "listens at https://127.0.0.1:" in process.stdout.readline()
        assert process.stdout.readline().startswith("GOOGLE_GEMINI_BASE_URL=https://127.0.0.1:")
        rest, _ = interrupt(process)
    assert process.returncode == 0
    assert "0 conversations" in rest


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--profile", "gpt"], "no such model; there are gemini-3.8-live"),
        (["--script", "none.toml"], "none.toml: "),
        (["--listen", "127.0.0.1"], "is no HOST:PORT"),
        pytest.param(
            ["--listen", "192.0.2.1:1"],
            "--listen 192.0.2.1:1",
            marks=not_under_wine("binds to any address"),
        ),
        (["--listen", "0.0.0.0:0"], "clients must be told one address"),
    ],
)
def test_a_wrong_use_ends_with_2(arguments: list[str], words: str) -> None:
    assert words in refused("gemini", *arguments, "--json")


@interrupts
def test_a_reader_that_left_does_not_end_the_service() -> None:
    with running_gatesim("gemini", "--json") as process:
        told = told_environment(process)
        assert process.stdout is not None
        process.stdout.close()

        assert run_client(LIVE_CLIENT, told).startswith("1.5")
        assert run_client(LIVE_CLIENT, told).startswith("1.5")

        tell_to_end(process)
        assert process.wait(20) == 0
