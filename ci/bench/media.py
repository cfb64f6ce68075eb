"""What the media path costs: `python -m ci.bench.media`, some 100 s, no thresholds.

`voicegate serve` runs as a process of its own, once with the echo (the media path alone) and once
with the fake Gemini (in a third process); where SIPp is installed, its echo in C is the yardstick.
This process calls with lean lines of its own (ci/bench/lines.py). On a busy machine compare the
figures of one run with each other, never those of two; "callers late p99" tells how busy it was.
"""

import argparse
import asyncio
import json
import os
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict
from pathlib import Path

from rich.console import Console

from ci.bench.dialling import Answered, Caller, CallFailed, open_caller
from ci.bench.figures import (
    Row,
    SetUp,
    load_table,
    loss_of,
    median,
    pace_of,
    percentile,
    setup_table,
)
from ci.bench.lines import Line, Pump, open_line
from ci.bench.programs import Meter, ProgramLost, Target, open_target
from simulator.audio.g711 import LAW
from simulator.audio.tones import speech_like

VOICES = ("sipp", "echo", "gemini")
STAGGER_S = 0.02
"""Calls of a load begin so far apart."""
WARM_UP_S = 1.0
SOUND_WITHIN_S = 5.0
REST_S = 1.5
"""Before a load the program is left alone for so long, and its idle CPU measured."""
SETTLE_S = 0.5
"""After a load, until its last calls are released."""
SHORT_CALLS = 30
SAID_S = 2.0
FRAME_SAMPLES = 160


def main() -> int:
    """Measure and print; give the exit code."""
    parser = argparse.ArgumentParser(description="Measure what the media path costs.")
    parser.add_argument("--seconds", type=float, default=6.0, help="length of one measurement")
    parser.add_argument("--calls", default="1,10,50", help="calls at once, with commas between")
    parser.add_argument("--voices", default=",".join(VOICES), help="some of sipp,echo,gemini")
    parser.add_argument("--json", action="store_true", help="one JSON object, no tables")
    arguments = parser.parse_args()
    loads = [int(one) for one in arguments.calls.split(",")]
    voices = arguments.voices.split(",")
    unknown = [one for one in voices if one not in VOICES]
    if unknown or min(loads) < 1:
        parser.error(f"no such voice or load: {unknown or arguments.calls}")
    console = Console(stderr=arguments.json, width=None if sys.stdout.isatty() else 180)
    console.print(f"{os.cpu_count()} cores, load {_load_average()} before the run")
    try:
        rows, set_ups = asyncio.run(measure(voices, loads, arguments.seconds, console))
    except (ProgramLost, CallFailed) as error:
        console.print(f"{type(error).__name__}: {error}", markup=False)
        return 1
    if arguments.json:
        found = {"loads": [asdict(r) for r in rows], "set_up": [asdict(s) for s in set_ups]}
        sys.stdout.write(json.dumps(found, indent=1) + "\n")
    else:
        console.print(load_table(rows), setup_table(set_ups))
    return 0


def _load_average() -> str:
    return f"{os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "unknown"


async def measure(
    voices: Sequence[str], loads: Sequence[int], seconds: float, console: Console
) -> tuple[list[Row], list[SetUp]]:
    """Run every load on every voice."""
    rows: list[Row] = []
    set_ups: list[SetUp] = []
    for voice in voices:
        if voice == "sipp" and shutil.which("sipp") is None:
            console.print("sipp is not installed: no yardstick in C")
            continue
        with tempfile.TemporaryDirectory(prefix="voicegate-bench-") as folder:
            async with open_target(voice, Path(folder)) as target, open_bench(target) as bench:
                await asyncio.sleep(SETTLE_S)
                if voice != "sipp":
                    set_ups.append(await bench.short_calls())
                for calls in loads:
                    rows.append(await bench.load(calls, seconds))
                    console.print(f"{voice}: {calls} calls, {rows[-1].cpu_ms:.2f} ms")
    return rows, set_ups


class Bench:
    """Callers before one target."""

    def __init__(self, target: Target, caller: Caller, pump: Pump) -> None:
        self._target = target
        self._caller = caller
        self._pump = pump
        law = LAW["PCMA"]
        said = speech_like(SAID_S, 8000, seed=3)
        payload = law.encode(said)
        self._frames = [
            payload[at : at + FRAME_SAMPLES] for at in range(0, len(payload), FRAME_SAMPLES)
        ]
        self._silence = b"\xd5" * FRAME_SAMPLES
        self._own = Meter(os.getpid())

    async def short_calls(self) -> SetUp:
        """Make one call and then more, one after the other."""
        # a caller of ours that has never called is slow in its first call too
        calls = [await self._short_call() for _ in range(1 + SHORT_CALLS)]
        (first, byes) = calls[0], [call[3] for call in calls[1:]]
        set_ups = [call[0] for call in calls[1:]]
        return SetUp(
            voice=self._target.voice,
            first_setup_ms=first[0],
            first_packet_ms=first[1],
            first_sound_ms=first[2],
            next_sound_ms=median([call[2] for call in calls[1:]]),
            setup_p50_ms=median(set_ups),
            setup_p99_ms=percentile(set_ups, 0.99),
            bye_p50_ms=median(byes),
            bye_p99_ms=percentile(byes, 0.99),
            calls=SHORT_CALLS,
        )

    async def load(self, calls: int, seconds: float) -> Row:
        """Carry so many calls at once, and measure for so long."""
        meter, service = self._target.meter, self._target.service
        idle_s = meter.cpu_s()
        await asyncio.sleep(REST_S)
        idle_s = meter.cpu_s() - idle_s
        rss_kb, descriptors = meter.rss_kb(), meter.descriptors()
        up = []
        for _ in range(calls):
            up.append(await self._begin())
            await asyncio.sleep(STAGGER_S)
        await asyncio.sleep(WARM_UP_S)
        lines = [line for line, _ in up]
        for line in lines:
            line.drain()
            line.forget()
        self._pump.late_s.clear()
        loop = asyncio.get_running_loop()
        before = (meter.cpu_s(), service.cpu_s() if service else 0.0, self._own.cpu_s())
        began_at = loop.time()
        await asyncio.sleep(seconds)
        call_s = (loop.time() - began_at) * calls
        after = (meter.cpu_s(), service.cpu_s() if service else 0.0, self._own.cpu_s())
        used = [(b - a) * 1000 / call_s for a, b in zip(before, after, strict=True)]
        row = Row(
            voice=self._target.voice,
            calls=calls,
            cpu_ms=used[0],
            peer_cpu_ms=used[1],
            caller_cpu_ms=used[2],
            core_part=used[0] * calls / 1000,
            idle_part=idle_s / REST_S,
            pace=pace_of([line.arrivals_s for line in lines]),
            loss=loss_of([line.sequences for line in lines]),
            sound_part=sum(line.sounding for line in lines)
            / max(1, sum(len(line.sequences) for line in lines)),
            caller_late_ms=percentile(self._pump.late_s, 0.99) * 1000,
            rss_kb=(meter.rss_kb() - rss_kb) / calls,
            descriptors=(meter.descriptors() - descriptors) / calls,
        )
        for line, call in up:
            await self._end(line, call)
        await asyncio.sleep(SETTLE_S)
        if self._caller.ended_early:
            raise CallFailed(f"{self._caller.ended_early} calls were ended by the gateway")
        return row

    async def _short_call(self) -> tuple[float, float, float, float]:
        """Give the ms from INVITE to 200, from it to packet and sound, from BYE to 200."""
        line, call = await self._begin()
        try:
            async with asyncio.timeout(SOUND_WITHIN_S):
                await line.sounded.wait()
        except TimeoutError:
            raise CallFailed("no sound came") from None
        assert line.first_at_s is not None
        assert line.first_sound_s is not None
        bye_ms = await self._end(line, call)
        packet_ms, sound_ms = (
            (at_s - call.at_s) * 1000 for at_s in (line.first_at_s, line.first_sound_s)
        )
        return call.setup_ms, packet_ms, sound_ms, bye_ms

    async def _begin(self) -> tuple[Line, Answered]:
        line = open_line(self._frames, self._silence)
        self._pump.add(line)
        call = await self._caller.call(line.port)
        line.remote = call.media
        return line, call

    async def _end(self, line: Line, call: Answered) -> float:
        bye_ms = await self._caller.hang_up(call)
        self._pump.remove(line)
        return bye_ms


@asynccontextmanager
async def open_bench(target: Target) -> AsyncIterator[Bench]:
    """Open the callers' socket and clock."""
    caller = await open_caller(target.address)
    pump = Pump()
    # no task group: it would wrap a failed call in a group of errors
    running = asyncio.create_task(pump.run(), name="pump")
    try:
        yield Bench(target, caller, pump)
    finally:
        running.cancel()
        await asyncio.wait((running,))
        caller.close()
    if not running.cancelled():
        running.result()


if __name__ == "__main__":
    sys.exit(main())
