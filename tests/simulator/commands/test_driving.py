"""The lines that drive a gate, against the reference gateway in virtual time."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from typing import Any

import pytest

from simulator.clock import run_virtual
from simulator.commands import driving
from simulator.commands.driving import Driver
from simulator.commands.lines import LineReader
from simulator.commands.running import Stop
from simulator.commands.terminal import Screen
from simulator.gate.gate import SimulatedGate
from tests.simulator.gate.reference_gateway import ReferenceGateway

Order = Mapping[str, Any] | str | float


class Said(LineReader):
    """A script instead of a pipe: objects, texts, and seconds to wait."""

    def __init__(self, *orders: Order) -> None:
        super().__init__(-1)
        self._orders = orders

    async def lines(self) -> AsyncIterator[str]:
        for order in self._orders:
            if isinstance(order, float):
                await asyncio.sleep(order)
            else:
                yield order if isinstance(order, str) else json.dumps(order)


class Kept(Screen):
    """Keeps what would be printed."""

    def __init__(self) -> None:
        super().__init__(as_json=True)
        self.said: list[dict[str, Any]] = []

    def json(self, value: Mapping[str, Any]) -> None:
        self.said.append(dict(value))


def drive(*orders: Order, stop_after_s: float | None = None) -> list[dict[str, Any]]:
    async def main() -> list[dict[str, Any]]:
        screen, stop = Kept(), Stop()
        if stop_after_s is not None:
            asyncio.get_running_loop().call_later(stop_after_s, stop.ask)
        async with (
            ReferenceGateway(echo=True) as far,
            SimulatedGate(gateway=far.address) as gate,
        ):
            driver = Driver(gate, screen, stop)
            await driver.run(Said(*orders))
            return [*screen.said, {"totals": driver.totals()}]

    return run_virtual(main())


def test_calls_run_beside_each_other_and_end_in_their_own_time() -> None:
    said = drive({"call": {"id": 1, "listen_s": 2.0}}, {"call": {"id": "b", "listen_s": 1.0}})

    assert [one["result"]["id"] for one in said[:-1]] == ["b", 1]
    assert all(one["result"]["ok"] for one in said[:-1])
    totals = said[-1]["totals"]
    assert (totals["calls"], totals["ok"], totals["open"]) == (2, 2, 0)


def test_a_call_is_as_ordered() -> None:
    order = {"id": 1, "number": "*31#7", "speak": "silence", "expect_audio": False, "identity": 99}
    [result, _] = drive({"call": order | {"listen_s": 0.5}})

    assert result["result"]["number"] == "*31#7"
    assert result["result"]["identity"] == 99
    assert result["result"]["ok"]


def test_a_call_is_hung_up_by_its_id() -> None:
    said = drive(
        {"call": {"id": 1, "listen_s": 60}}, 1.0, {"hang_up": {"id": 1}}, {"hang_up": {"id": 2}}
    )

    assert said[0] == {"error": {"id": 2, "text": "no open call has this id"}}
    assert said[1]["result"]["lasted_s"] == pytest.approx(1.0, abs=0.05)


def test_options_and_report_are_answered() -> None:
    said = drive({"call": {"listen_s": 1.0}}, {"options": {"id": 4}}, {"report": {"id": 5}})

    assert said[0]["report"]["id"] == 5
    assert (said[0]["report"]["calls"], said[0]["report"]["open"]) == (1, 1)
    assert said[1]["options"]["status"] == 200
    assert said[1]["options"]["ms"] >= 0


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("nonsense", "Invalid JSON"),
        ("[]", "Input should be an object"),
        ({}, "exactly one of call, options, hang_up, report"),
        ({"report": {}, "options": {}}, "exactly one of"),
        ({"dance": {}}, "dance: Extra inputs"),
        ({"call": {"lisen_s": 1}}, "call.lisen_s: Extra inputs"),
        ({"call": {"listen_s": 4000}}, "call.listen_s: Input should be less than"),
        ({"call": {"listen_s": "1"}}, "call.listen_s"),
        ({"call": {"number": "1\r\nVia: x"}}, "call.number"),
        ({"call": {"speak": "none.wav"}}, "call.speak: none.wav"),
        ({"call": {"identity": 256}}, "call.identity"),
    ],
)
def test_a_bad_line_is_answered_and_the_next_one_obeyed(line: Order, words: str) -> None:
    said = drive(line, {"report": {}})

    assert words in said[0]["error"]["text"]
    assert said[1]["report"]["bad_lines"] == 1
    assert said[1]["report"]["calls"] == 0


def test_no_more_calls_at_once_than_the_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(driving, "CALLS_MAX", 2)
    said = drive(*({"call": {"id": n, "listen_s": 0.5}} for n in range(3)))

    assert said[0] == {"error": {"id": 2, "text": "2 calls are open: no more at once"}}
    assert [one["result"]["ok"] for one in said[1:-1]] == [True, True]


def test_the_wish_to_end_ends_the_reading_and_the_calls() -> None:
    said = drive({"call": {"id": 1, "listen_s": 100}}, 100.0, {"report": {}}, stop_after_s=1.0)

    assert [list(one) for one in said] == [["result"], ["totals"]]
    assert said[0]["result"]["lasted_s"] == pytest.approx(1.0, abs=0.05)
