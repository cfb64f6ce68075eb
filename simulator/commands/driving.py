"""The commands of `gatesim gate --calls-from-stdin`: a JSON object a line, one answer for each."""

import asyncio
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from simulator.commands.addresses import DEFAULT_NUMBER, parse_user
from simulator.commands.lines import LineReader
from simulator.commands.one_call import CallPlan, carry, judge
from simulator.commands.running import Stop
from simulator.commands.sounds import parse_speak
from simulator.commands.terminal import Screen
from simulator.gate.caller import NoAnswer
from simulator.gate.gate import SimulatedGate

CALLS_MAX = 500
OPTIONS_MAX = 100
OPTIONS_PATIENCE_S = 5.0
STATUSES_SHOWN = 10

Id = Annotated[str, Field(max_length=100)] | int | None
User = Annotated[str, AfterValidator(parse_user)]


class _Order(BaseModel):
    """What a command says; unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    id: Id = None


class CallOrder(_Order):
    """{"call": {..}}: make a call; its result comes when it is over."""

    number: User = DEFAULT_NUMBER
    caller: User = "100"
    speak: Annotated[str, Field(max_length=10_000)] = "stamps"
    speak_after_s: Annotated[float, Field(ge=0, le=3600)] = 0.0
    listen_s: Annotated[float, Field(ge=0.1, le=3600)] = 5.0
    answer_within_s: Annotated[float, Field(ge=0.5, le=180)] = 10.0
    expect_audio: bool = True
    identity: Annotated[int, Field(ge=0, le=255)] | None = None

    def plan(self) -> CallPlan:
        """Give the plan of the call. Raises ValueError for a sound that cannot be made."""
        given = self.model_dump(exclude={"id", "speak"})
        return CallPlan(speak=parse_speak(self.speak), **given)


class PlainOrder(_Order):
    """{"options": {..}}, {"hang_up": {"id": ..}}, {"report": {}}: an id at most."""


class Line(BaseModel):
    """One line of input: an object with exactly one command."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    call: CallOrder | None = None
    options: PlainOrder | None = None
    hang_up: PlainOrder | None = None
    report: PlainOrder | None = None


class Driver:
    """Obeys the lines; calls run beside each other, each answered by one line of its own."""

    def __init__(self, gate: SimulatedGate, screen: Screen, stop: Stop) -> None:
        self._gate = gate
        self._screen = screen
        self._stop = stop
        self._open: dict[int, tuple[Id, Stop]] = {}
        self._asking = 0
        self._made = 0
        self._ok = 0
        self._bad_lines = 0

    async def run(self, reader: LineReader) -> None:
        """Read to the end of the input (or until the end is wanted); let calls come to theirs."""
        async with asyncio.TaskGroup() as group:
            reading = group.create_task(self._read(reader, group), name="gate/commands")
            with self._stop.does(reading.cancel):
                await asyncio.wait((reading,))
        self._bad_lines += reader.skipped

    async def _read(self, reader: LineReader, group: asyncio.TaskGroup) -> None:
        async for text in reader.lines():
            try:
                self._obey(Line.model_validate_json(text), group)
            except ValidationError as error:
                first = error.errors(include_url=False)[0]
                place = ".".join(str(part) for part in first["loc"])
                self._complain(None, f"{place}: {first['msg']}" if place else first["msg"])

    def _obey(self, line: Line, group: asyncio.TaskGroup) -> None:
        given = [name for name in line.model_fields_set if getattr(line, name) is not None]
        if len(given) != 1:
            self._complain(None, f"exactly one of {', '.join(Line.model_fields)} in a line")
        elif line.call is not None:
            self._begin(line.call, group)
        elif line.options is not None:
            if self._asking >= OPTIONS_MAX:
                self._complain(line.options.id, f"{OPTIONS_MAX} OPTIONS wait for their answers")
            else:
                group.create_task(self._options(line.options.id), name="gate/options")
        elif line.hang_up is not None:
            self._hang_up(line.hang_up.id)
        elif line.report is not None:
            self._screen.json({"report": {"id": line.report.id} | self.totals()})

    def _begin(self, order: CallOrder, group: asyncio.TaskGroup) -> None:
        if len(self._open) >= CALLS_MAX:
            self._complain(order.id, f"{CALLS_MAX} calls are open: no more at once")
            return
        try:
            plan = order.plan()
        except ValueError as error:
            self._complain(order.id, f"call.speak: {error}")
            return
        self._made += 1
        number, own = self._made, Stop()
        self._open[number] = (order.id, own)
        group.create_task(self._call(number, order.id, plan, own), name=f"gate/call-{number}")

    async def _call(self, number: int, name: Id, plan: CallPlan, own: Stop) -> None:
        try:
            with self._stop.does(own.ask):
                carried = await carry(self._gate, plan, own)
            result = judge(carried, plan)
            self._ok += result.ok
            self._screen.json({"result": {"id": name} | result.as_json()})
        except OSError as error:  # no port, no descriptor: of this machine, not of the gateway
            self._complain(name, f"the call could not be made: {error.strerror or error}")
        finally:
            del self._open[number]

    async def _options(self, name: Id) -> None:
        loop = asyncio.get_running_loop()
        began_at = loop.time()
        self._asking += 1
        try:
            status: int | None = await self._gate.options(OPTIONS_PATIENCE_S)
        except NoAnswer:
            status = None
        finally:
            self._asking -= 1
        took_ms = None if status is None else round((loop.time() - began_at) * 1000, 1)
        self._screen.json({"options": {"id": name, "status": status, "ms": took_ms}})

    def _hang_up(self, name: Id) -> None:
        stops = [own for known, own in self._open.values() if known == name]
        if not stops:
            self._complain(name, "no open call has this id")
        for own in stops:
            own.ask()

    def totals(self) -> dict[str, Any]:
        """Give what was done so far."""
        return {
            "calls": self._made,
            "ok": self._ok,
            "open": len(self._open),
            "bad_lines": self._bad_lines,
            "violations": len(self._gate.violations) + self._gate.findings.dropped,
            "qualified": self._gate.qualified[-STATUSES_SHOWN:],
        }

    def _complain(self, name: Id, text: str) -> None:
        if name is None:
            self._bad_lines += 1
        self._screen.json({"error": {"id": name, "text": text}})
