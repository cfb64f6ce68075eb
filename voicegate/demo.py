"""`voicegate demo`: two calls on this machine, heard both ways, with the evidence to keep.

The composition root that may know both sides: the gateway, and the simulated world around it.
"""

import asyncio
import json
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import AsyncExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TextIO

from rich.console import Console

from simulator.audio.levels import frame_levels
from simulator.audio.pcm import Pcm
from simulator.audio.sound import Sound, sequence, silence_for, speech, stamps
from simulator.gate.caller import SimulatedCall
from simulator.gate.gate import SimulatedGate
from simulator.gemini.conversation import FakeSession
from simulator.gemini.script import hear, say
from simulator.gemini.server import FakeGemini
from simulator.pcap import Tape
from simulator.report.checks import checks_of
from simulator.report.collect import Collector
from simulator.report.model import RunEvidence
from simulator.report.record import wav_name
from simulator.report.write import write_evidence
from simulator.witness.witness import Witness
from voicegate.config import Config, load, require_key
from voicegate.gateway import Gateway
from voicegate.logs import set_up_logging
from voicegate.report import CallReport
from voicegate.windows import new_event_loop

RATE_HZ = 8000
RTP_PORTS = (21000, 21398)
CALL_LIMIT_S = 30.0
LOUD_DBFS = -45.0
SPEECH_DBFS = -35.0
FRAME_MS = 20
CALLER_STAMPS = 3
MODEL_STAMPS = 3
STAMPS_LOST = 1
"""A busy machine may cost each side one stamp: more than 200 ms of standstill are not made up."""
BASE_URL = "GOOGLE_GEMINI_BASE_URL"
CALLER_STAYS_S = 6.5
GREETING_S = 1.2
KINDS = ("threads", "tasks", "sockets", "files")


@dataclass(frozen=True)
class DemoCall:
    """What became of one call; a missing measurement is None, never 0."""

    number: int
    """From 1."""
    heard_by_model: bool
    """The caller's own speech reached the model, and nobody else's."""
    heard_by_caller: bool
    """The model's own speech reached the caller, and nobody else's."""
    setup_ms: float | None
    """From INVITE to 200, as the gate saw it."""
    response_ms: float | None
    """From the end of the caller's speech to the model's first sound at the caller's ear."""
    ended_by: str
    """"caller" or "gateway"."""
    reason: str
    """The gateway's own word for it."""
    release_ms: float | None
    """From the end of the conversation until nothing of the call was left."""
    wav: str
    """The recording: caller left, gateway right."""

    @property
    def passed(self) -> bool:
        """Whether both sides heard each other."""
        return self.heard_by_model and self.heard_by_caller


class World:
    """The fake service (none when live), the gateway and the gate, for two calls."""

    def __init__(self, console: Console, *, live: bool) -> None:
        self._console = console
        self._live = live
        self._tape = Tape()
        self._collector = Collector(self._tape)
        self._reports: asyncio.Queue[CallReport] = asyncio.Queue()

    async def run(self) -> dict[str, Any]:
        """Make the calls; give the object that goes into run.json."""
        async with AsyncExitStack() as owned:
            witness = owned.enter_context(Witness())
            gemini = None if self._live else await owned.enter_async_context(FakeGemini())
            owned.enter_context(_environment(gemini.environment if gemini else {}))
            gateway = Gateway(self._config(), on_report=self._reports.put_nowait)
            serving = asyncio.create_task(gateway.serve(), name="gateway")
            owned.push_async_callback(asyncio.wait, (serving,))
            owned.callback(gateway.stop)
            await _ready(gateway, serving)
            gate = SimulatedGate(gateway=gateway.agent.local, tape=self._tape)
            await owned.enter_async_context(gate)
            await witness.settle()
            before = witness.baseline()
            calls = [
                await self._call(gate, gemini, number, says_goodbye=number == 2)
                for number in (1, 2)
            ]
            await witness.settle()
            left = witness.snapshot().since(before)
            left_behind = {kind: sum(one.kind == kind for one in left) for kind in KINDS}
            left_behind |= {
                "calls": len(gateway.calls),
                "gemini_sessions": gateway.voice.open_conversations,
            }
            complaints = [str(one) for one in witness.errors] + [str(v) for v in gate.violations]
        clean = not any(left_behind.values()) and not complaints
        return {
            "calls": [asdict(call) for call in calls],
            "left_behind": left_behind,
            "complaints": complaints,
            "passed": clean and all(call.passed for call in calls),
        }

    def evidence(self, result: dict[str, Any]) -> RunEvidence:
        """Give what the run's files are written from."""
        calls = self._collector.calls
        left = [f"{number} {kind}" for kind, number in result["left_behind"].items() if number]
        return RunEvidence(
            name="demo",
            calls=calls,
            checks=tuple(check for call in calls for check in checks_of(call)),
            target="voicegate, in this process",
            errors=(*result["complaints"], *(f"left behind: {one}" for one in left)),
            notes=self._collector.notes,
            exit_code=0 if result["passed"] else 1,
            tape=self._tape,
            extra={key: result[key] for key in ("left_behind", "complaints")},
        )

    def _config(self) -> Config:
        environ = os.environ if self._live else {"GEMINI_API_KEY": os.environ["GEMINI_API_KEY"]}
        if not self._live:
            environ = dict(environ) | {"GOOGLE_GEMINI_BASE_URL": os.environ[BASE_URL]}
        config = load(
            environ=environ,
            dotenv=Path(".env") if self._live else None,
            overrides={
                "sip": {"host": "127.0.0.1", "port": 0, "allow": ["127.0.0.0/8"]},
                "media": {"rtp_ports": RTP_PORTS},
                "voice": {"backend": "gemini"},
                "admin": {"host": "127.0.0.1", "port": 0},
            },
        )
        require_key(config)
        return config

    async def _call(
        self, gate: SimulatedGate, gemini: FakeGemini | None, number: int, *, says_goodbye: bool
    ) -> DemoCall:
        """Make one call: the greeting, the caller's speech, the answer, the end."""
        if gemini is not None:
            _write_script(gemini, number - 1, says_goodbye=says_goodbye)
        call = await gate.dial("1000", speak=caller_sound())
        if says_goodbye:
            await call.ended(by="gateway", within_s=CALL_LIMIT_S)
        else:
            await call.lasts(CALLER_STAYS_S)
            await call.hang_up()
        async with asyncio.timeout(CALL_LIMIT_S):
            report = await self._reports.get()
        result = self._judge(call, gemini.session(number - 1) if gemini else None, report)
        self._show(result)
        return result

    def _judge(
        self, call: SimulatedCall, model: FakeSession | None, report: CallReport
    ) -> DemoCall:
        left, right = _lanes(call)
        kept = self._collector.add(call, model, reason=report.reason.value)
        by_model = bool(report.response_ms)
        by_caller = call.heard.level_dbfs() > SPEECH_DBFS
        if model is not None:
            # energy shows that somebody was heard, the stamps show who: none but the other side
            by_model = model.heard.level_dbfs() > SPEECH_DBFS
            of_caller, of_model = CALLER_STAMPS - STAMPS_LOST, MODEL_STAMPS - STAMPS_LOST
            by_model = by_model and bool(model.heard.only_from(call, at_least=of_caller))
            by_caller = by_caller and bool(call.heard.only_from(model, at_least=of_model))
        return DemoCall(
            number=report.number,
            heard_by_model=by_model,
            heard_by_caller=by_caller,
            setup_ms=None if call.setup_s is None else round(call.setup_s * 1000, 1),
            response_ms=response_ms(left, right),
            ended_by=str(call.ended_by),
            reason=report.reason.value,
            release_ms=report.release_ms,
            wav=wav_name(kept),
        )

    def _show(self, call: DemoCall) -> None:
        mark = "[green]ok[/]" if call.passed else "[red]FAILED[/]"
        both = f"caller heard {_yes(call.heard_by_caller)}, model heard {_yes(call.heard_by_model)}"
        self._console.print(
            f"call {call.number} {mark}  set up in {call.setup_ms} ms, {both}, answer after"
            f" {call.response_ms} ms, ended by the {call.ended_by} ({call.reason}),"
            f" released in {call.release_ms} ms"
        )


def caller_sound() -> Sound:
    """Give what the caller says: after the greeting one sentence, and stamps that say who."""
    return sequence(
        silence_for(GREETING_S + 0.4), speech(0.6), stamps(every_s=0.5, count=CALLER_STAMPS)
    )


def _write_script(gemini: FakeGemini, session: int, *, says_goodbye: bool) -> None:
    """Have the model greet and answer; in the second call its answer is a farewell."""
    greeting = sequence(speech(GREETING_S - 0.5), stamps(every_s=0.5, count=1))
    answer = sequence(speech(0.6), stamps(every_s=0.5, count=MODEL_STAMPS - 1, start=1))
    words = "Thank you for calling. Goodbye." if says_goodbye else "Gladly. Tomorrow at nine."
    gemini.on_text(say=greeting, text="Good day, how can I help you?", session=session)
    gemini.on_speech(hear("Can we meet tomorrow?"), say(answer, words), session=session)


def _lanes(call: SimulatedCall) -> tuple[Pcm, Pcm]:
    """Give what the caller said and heard, sample for sample beside each other."""
    began_at, ended_at = call.answered_at or 0.0, call.ended_at or 0.0
    return (
        call.spoken.pcm(RATE_HZ, began_at, ended_at),
        call.heard.pcm(RATE_HZ, began_at, ended_at),
    )


def response_ms(caller: Pcm, gateway: Pcm) -> float | None:
    """Measure from the caller's last loud frame to the gateway's next; None where either lacks."""
    spoken = [i for i, level in enumerate(frame_levels(caller, RATE_HZ)) if level > LOUD_DBFS]
    if not spoken:
        return None
    heard = frame_levels(gateway, RATE_HZ)[spoken[-1] + 1 :]
    answers = [i for i, level in enumerate(heard) if level > LOUD_DBFS]
    return float((answers[0] + 1) * FRAME_MS) if answers else None


async def _ready(gateway: Gateway, serving: asyncio.Task[None]) -> None:
    """Wait until the gateway takes calls; raise what kept it from that."""
    ready = asyncio.create_task(gateway.ready.wait(), name="wait-for-ready")
    try:
        await asyncio.wait((serving, ready), return_when=asyncio.FIRST_COMPLETED)
        if serving.done():
            serving.result()
    finally:
        ready.cancel()


@contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    """Set variables of the process: the SDK reads SSL_CERT_FILE nowhere else."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _yes(condition: bool) -> str:
    return "yes" if condition else "NO"


def run_demo(out: Path, *, as_json: bool, live: bool) -> bool:
    """Make the two calls, write the evidence to `out`; say whether all was well."""
    out.mkdir(parents=True, exist_ok=True)
    screen: TextIO = sys.stderr if as_json else sys.stdout
    console = Console(file=screen, highlight=False, soft_wrap=True)
    world = World(console, live=live)
    with (out / "voicegate.log").open("w", encoding="utf-8") as log_file:
        set_up_logging(log_file)
        with asyncio.Runner(loop_factory=new_event_loop) as runner:
            result = runner.run(world.run())
    written = write_evidence(world.evidence(result), out)
    for complaint in (*result["complaints"], *written.notes):
        console.print(complaint, style="yellow")
    left = sum(result["left_behind"].values())
    page = "report.html" if "report.html" in written.files else "call-01.wav"
    console.print(f"left behind: {left or 'nothing'}; see and hear it: {out / page}")
    if as_json:
        sys.stdout.write(json.dumps(result, indent=2) + "\n")
    return bool(result["passed"])
