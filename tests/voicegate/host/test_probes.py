"""What the gate, the model and the machine itself answer."""

import socket
from typing import Any

import pytest

from simulator.gate.gate import SimulatedGate
from simulator.gemini.server import FakeGemini
from voicegate.config import Config, load
from voicegate.host import probes
from voicegate.host.findings import Verdict
from voicegate.host.probes import gate_answers, model_answers, two_calls
from voicegate.sip.message import Address, Response

pytestmark = pytest.mark.virtual


def configured(**sections: dict[str, object]) -> Config:
    return load(environ={}, dotenv=None, overrides=sections)


async def test_a_gate_that_answers_is_told_with_its_answer() -> None:
    async with SimulatedGate(gateway=("127.0.0.1", 9)) as gate:
        found = await gate_answers(Address(*gate.address), configured())
    assert found.verdict is Verdict.OK, found
    assert "200" in found.text


@pytest.mark.parametrize("status", [401, 403, 407])
async def test_a_gate_that_refuses_strangers_lives_and_is_a_warning(
    monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    async def refusal(_sock: socket.socket) -> Response:
        return Response(status, "No", ())

    monkeypatch.setattr(probes, "_first_response", refusal)
    found = await gate_answers(Address("127.0.0.1", 9), configured(sip={"username": "gw7"}))
    assert (found.verdict, "gw7" in found.mend) == (Verdict.WARN, True)


async def test_a_gate_that_no_route_leads_to_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probes, "face_towards", lambda *_: "")
    found = await gate_answers(Address("192.0.2.1", 5060), configured())
    assert (found.verdict, "no route" in found.text) == (Verdict.FAIL, True)


async def test_a_gate_that_does_not_answer_fails_with_the_mend() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as mute:
        mute.bind(("127.0.0.1", 0))
        host, port = mute.getsockname()
        found = await gate_answers(Address(host, port), configured())
    assert found.verdict is Verdict.FAIL
    assert "is the gate on" in found.mend


async def test_the_model_is_asked_as_a_call_would_ask_it(voice: FakeGemini) -> None:
    config = load(environ=voice.environment, dotenv=None)
    found = await model_answers(config)
    assert found.verdict is Verdict.OK, found
    assert voice.sessions[0].closed_at_s is not None or len(voice.sessions) == 1


async def test_a_key_that_is_refused_is_told_in_plain_words(voice: FakeGemini) -> None:
    voice.refuse(403)
    found = await model_answers(load(environ=voice.environment, dotenv=None))
    assert found.verdict is Verdict.FAIL
    assert "check gemini.api_key" in found.text


async def test_without_a_key_or_with_the_echo_nobody_is_asked() -> None:
    assert (await model_answers(configured())).verdict is Verdict.WARN
    assert (await model_answers(configured(voice={"backend": "echo"}))).verdict is Verdict.OK


@pytest.mark.parametrize(
    ("heard", "left", "verdict", "words"),
    [
        (True, 0, Verdict.OK, "both heard"),
        (False, 0, Verdict.FAIL, "calls not heard: 2"),
        (True, 1, Verdict.FAIL, "left behind: 1 tasks"),
    ],
)
async def test_two_calls_are_judged(heard: bool, left: int, verdict: Verdict, words: str) -> None:
    async def run() -> dict[str, Any]:
        good = {"number": 1, "heard_by_model": True, "heard_by_caller": True}
        return {
            "passed": heard and not left,
            "calls": [good, good | {"number": 2, "heard_by_model": heard}],
            "left_behind": {"tasks": left},
        }

    found = await two_calls(run)
    assert found.verdict is verdict
    assert words in found.text
