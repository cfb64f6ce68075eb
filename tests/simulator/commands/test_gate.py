"""`gatesim gate` as a load generator drives it: JSON lines in, JSON lines out."""

import json
from typing import Any

import pytest

from tests.simulator.commands.processes import (
    gatesim,
    interrupt,
    interrupts,
    refused,
    running_gatesim,
)
from tests.wine import not_under_wine

LINES = """{"call": {"id": 1, "listen_s": 1.2}}
{"call": {"id": "two", "speak": "hello there", "caller": "200", "listen_s": 0.5}}

{"options": {"id": "o"}}
{"bogus": {}}
{"report": {"id": "r"}}
"""


def answers(text: str) -> list[tuple[str, dict[str, Any]]]:
    return [next(iter(json.loads(line).items())) for line in text.splitlines()]


def test_calls_are_made_beside_each_other_and_each_line_is_answered(echo: str) -> None:
    gateway = echo.removeprefix("sip:")

    run = gatesim("gate", "--gateway", gateway, "--calls-from-stdin", said=LINES)

    assert (run.returncode, run.stderr) == (0, "")
    kinds = [kind for kind, _ in answers(run.stdout)]
    assert (kinds[0], kinds[-1]) == ("gate", "report")
    assert sorted(kinds[1:-1]) == ["error", "options", "report", "result", "result"]
    by_id = {body.get("id"): body for _, body in answers(run.stdout)}
    assert by_id[1]["ok"]
    assert by_id["two"]["ok"]
    assert by_id[1]["identity"] != by_id["two"]["identity"]
    assert by_id["o"]["status"] == 200
    assert by_id["r"]["open"] == 2
    assert answers(run.stdout)[-1][1] | {"qualified": []} == {
        "calls": 2,
        "ok": 2,
        "open": 0,
        "bad_lines": 1,
        "violations": 0,
        "qualified": [],
    }


@interrupts
def test_ctrl_c_hangs_up_and_reports(echo: str) -> None:
    gateway = echo.removeprefix("sip:")
    with running_gatesim("gate", "--gateway", gateway, "--calls-from-stdin") as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert "gate" in json.loads(process.stdout.readline())
        process.stdin.write('{"call": {"id": 5, "listen_s": 300}}\n{"options": {}}\n')
        process.stdin.flush()
        assert json.loads(process.stdout.readline())["options"]["status"] == 200
        rest, errors = interrupt(process)
    assert (process.returncode, errors) == (0, "")
    [(kind, result), (last, report)] = answers(rest)
    # on a busy machine the Ctrl+C may come before the answer: then the call was given up
    assert (kind, result["id"]) == ("result", 5)
    assert result["ended_by"] == ("caller" if result["answered"] else None)
    assert (last, report["calls"], report["open"]) == ("report", 1, 0)


@interrupts
def test_it_qualifies_and_tells_the_state(echo: str) -> None:
    gateway = echo.removeprefix("sip:")
    with running_gatesim("gate", "--gateway", gateway, "--qualify-s", "0.1") as process:
        assert process.stdout is not None
        assert "its gateway at" in process.stdout.readline()
        assert process.stdout.readline() == "the gateway answers OPTIONS with 200\n"
        rest, _ = interrupt(process)
    assert process.returncode == 0
    assert "OPTIONS answered" in rest


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "--gateway"),
        (["--gateway", "127.0.0.1:5060", "--listen", "0.0.0.0:0"], "must be told one address"),
        pytest.param(
            ["--gateway", "127.0.0.1:5060", "--listen", "192.0.2.1:1"],
            "192.0.2.1:1",
            marks=not_under_wine("binds to any address"),
        ),
        (["--gateway", "127.0.0.1:5060", "--profile", "toaster"], "no gate profile"),
    ],
)
def test_a_wrong_use_ends_with_2(arguments: list[str], words: str) -> None:
    assert words in refused("gate", *arguments)
