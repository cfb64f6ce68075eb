"""How a call is carried: as configured, as its route says, as the user's hook says."""

import asyncio
import sys
import wave
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from voicegate.config import ConfigError, load
from voicegate.plan import CallFacts, CallPlan, facts_of
from voicegate.planning import Planner

pytestmark = pytest.mark.virtual


def greeting_file(folder: Path, name: str = "hello.wav", seconds: float = 0.5) -> str:
    path = folder / name
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(b"\1\1" * int(8000 * seconds))
    return str(path)


async def by_number(facts: CallFacts) -> Mapping[str, object] | None:
    """A hook that knows some callers."""
    answers: dict[str, Any] = {
        "1": None,
        "2": {"voice": "Kore", "greeting": "Greet an old friend."},
        "3": {"refuse": 603},
        "4": {"tools": []},
        "5": {"no_such_key": 1},
        "6": {"tools": ["no_such_tool"]},
        "7": "nonsense",
        "8": {"greeting_wav": "no such file.wav"},
    }
    if facts.caller == "slow":
        await asyncio.sleep(60)
    return answers[facts.caller]  # type: ignore[no-any-return]


def plain(facts: CallFacts) -> Mapping[str, object]:
    """A plain hook."""
    return {"voice": facts.header("X-Voice")}


@pytest.fixture(autouse=True)
def _here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "users_hooks", sys.modules[__name__])


def planner(**sections: Any) -> Planner:
    return Planner(load(environ={}, dotenv=None, overrides=sections))


async def planned(
    one: Planner, caller: str = "100", called: str = "1000", **headers: str
) -> CallPlan:
    facts = facts_of("id", caller, called, "127.0.0.1", list(headers.items()))
    async with one.open_workshop() as workshop:
        return await one.plan(facts, workshop)


async def test_without_a_word_all_is_as_configured() -> None:
    plan = await planned(planner())
    assert plan.greeting
    assert plan.greeting_pcm16 == b""
    assert "telephone" in plan.setup.system_instruction
    assert [one.name for one in plan.setup.tools] == ["hang_up"] == list(plan.toolset.tools)
    assert plan.refuse is None


async def test_a_route_changes_what_it_names_and_nothing_else(tmp_path: Path) -> None:
    hello = greeting_file(tmp_path)
    one = planner(
        call={"prompt_fields": ["caller"]},
        route=[
            {"called": "2000", "voice": "Kore", "language": "bg-BG", "model": "gemini-x"},
            {"called": "3000", "greeting_wav": hello, "tools": [], "system_instruction": "Sing."},
            {"called": "4000", "greeting": ""},
        ],
    )
    kore = await planned(one, called="2000")
    assert (kore.setup.voice, kore.setup.language, kore.setup.model) == (
        "Kore",
        "bg-BG",
        "gemini-x",
    )
    assert "telephone" in kore.setup.system_instruction
    assert kore.setup.tools
    hello_first = await planned(one, called="3000")
    assert (hello_first.greeting, len(hello_first.greeting_pcm16)) == ("", 8000)
    assert hello_first.setup.tools == ()
    assert hello_first.setup.system_instruction.startswith("Sing.\n")
    assert '- caller: "100"' in hello_first.setup.system_instruction
    silent = await planned(one, called="4000")
    assert (silent.greeting, silent.greeting_pcm16) == ("", b"")


async def test_a_route_goes_back_to_the_models_greeting(tmp_path: Path) -> None:
    hello = greeting_file(tmp_path)
    one = planner(
        call={"greeting_wav": hello},
        route=[{"called": "2000", "greeting_wav": ""}, {"called": "3000", "greeting": "Hi."}],
    )
    assert (await planned(one)).greeting_pcm16
    assert (await planned(one, called="2000")).greeting
    by_model = await planned(one, called="3000")
    assert (by_model.greeting, by_model.greeting_pcm16) == ("Hi.", b"")


async def test_an_apology_of_your_own_is_read_at_start(tmp_path: Path) -> None:
    assert (await planned(planner(call={"apology_wav": greeting_file(tmp_path)}))).apology_pcm16
    assert (await planned(planner())).apology_pcm16 == b""


async def test_the_hook_has_the_last_word() -> None:
    route = [{"caller": "*", "voice": "Puck", "language": "de-DE"}]
    one = planner(call={"hook": "users_hooks:by_number"}, route=route)
    assert (await planned(one, "1")).setup.voice == "Puck"
    friend = await planned(one, "2")
    assert (friend.setup.voice, friend.setup.language) == ("Kore", "de-DE")
    assert friend.greeting == "Greet an old friend."
    assert (await planned(one, "3")).refuse == 603
    assert (await planned(one, "4")).setup.tools == ()


@pytest.mark.parametrize(
    ("caller", "says"),
    [
        ("5", "no_such_key: Extra inputs"),
        ("6", "there is no 'no_such_tool'"),
        ("7", "valid dictionary"),
        ("8", "no such file.wav"),
        ("9", "KeyError"),
        ("slow", "no result within 2 s"),
    ],
)
async def test_a_hook_that_fails_is_loud_and_the_call_goes_on(
    caplog: pytest.LogCaptureFixture, caller: str, says: str
) -> None:
    one = planner(call={"hook": "users_hooks:by_number"}, route=[{"voice": "Puck"}])
    plan = await planned(one, caller)
    assert (plan.setup.voice, plan.refuse) == ("Puck", None)
    [record] = [one for one in caplog.records if one.levelname == "ERROR"]
    assert says in record.getMessage()


async def test_a_plain_hook_runs_in_a_thread() -> None:
    one = planner(call={"hook": "users_hooks:plain"})
    assert (await planned(one, **{"X-Voice": "Kore"})).setup.voice == "Kore"


async def test_a_call_that_a_route_refuses_does_not_reach_the_hook(
    caplog: pytest.LogCaptureFixture,
) -> None:
    one = planner(call={"hook": "users_hooks:by_number"}, route=[{"refuse": 603}])
    assert (await planned(one, "9")).refuse == 603
    assert not caplog.records


@pytest.mark.parametrize(
    ("sections", "says"),
    [
        ({"call": {"hook": "users_hooks:no_such"}}, "call.hook: 'users_hooks:no_such'"),
        ({"call": {"apology_wav": "no.wav"}}, "call.apology_wav: 'no.wav' No such file"),
        ({"call": {"greeting_wav": "no.wav"}}, "call.greeting_wav: 'no.wav' No such file"),
        ({"route": [{}, {"greeting_wav": __file__}]}, "route.1.greeting_wav: .* is no WAV file"),
        ({"route": [{"tools": ["fly"]}]}, "route.0.tools: there is no 'fly'; there are: hang_up"),
        ({"tools": {"functions": ["x"]}}, "tools.functions: 'x' is no package.module:function"),
        ({"call": {"prompt_fields": ["name"]}}, "call.prompt_fields.0"),
    ],
)
async def test_what_cannot_be_used_is_refused_before_the_first_call(
    sections: dict[str, Any], says: str
) -> None:
    with pytest.raises(ConfigError, match=says):
        planner(**sections)
