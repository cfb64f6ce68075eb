"""What the page shows of a run: everything counted, worded and placed, nothing drawn yet."""

import base64
import io
import wave
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from simulator.report.call import CallEvidence, Finding
from simulator.report.doctor import Diagnosis
from simulator.report.drawing import LineChart, line_chart
from simulator.report.hearing import RATE_HZ
from simulator.report.marks import LaneView, lane_view
from simulator.report.model import CheckResult, Outcome, RunEvidence
from simulator.report.record import wav_name

EMBED_LIMIT = 16_000_000
"""Octets of sound within the page, before base64; the rest is linked."""

MEGABYTE = 1 << 20
RESOURCES = ("threads", "tasks", "sockets", "files")


@dataclass(frozen=True)
class CallView:
    """One call as it is shown."""

    call: CallEvidence
    """The call itself."""

    failed: bool
    """Whether something is wrong with it."""

    checks: tuple[CheckResult, ...]
    """What it was held to."""

    lanes: tuple[LaneView, ...]
    """Caller above gateway."""

    findings: tuple[tuple[Finding, int], ...]
    """The rules broken, each with how often the same was seen."""

    audio: str
    """A data: address or a file name; empty without sound."""

    file: str
    """The recording's file name; empty without sound."""


@dataclass(frozen=True)
class CheckView:
    """All results of checks of one name."""

    name: str
    """Their name."""

    outcome: Outcome
    """The worst of them."""

    count: str
    """How many of how many passed; empty for a single one."""

    why: str
    """What the first of the worst says."""


@dataclass(frozen=True)
class ResourceView:
    """One resource over the calls."""

    name: str
    """threads, tasks, sockets, files or memory."""

    chart: LineChart
    """Its line."""

    text: str
    """From what to what."""


def check_views(checks: Sequence[CheckResult]) -> tuple[CheckView, ...]:
    """The checks by name, in the order of first sight."""
    worst_first = (Outcome.FAILED, Outcome.NOT_TESTABLE, Outcome.SKIPPED, Outcome.PASSED)
    found = []
    for name in dict.fromkeys(check.name for check in checks):
        same = [check for check in checks if check.name == name]
        worst = min(same, key=lambda check: worst_first.index(check.verdict))
        passed = sum(check.verdict is Outcome.PASSED for check in same)
        count = f"{passed} of {len(same)}" if len(same) > 1 else ""
        found.append(CheckView(name, worst.verdict, count, worst.why))
    return tuple(found)


def call_views(run: RunEvidence, files: Sequence[str]) -> tuple[CallView, ...]:
    """The calls; sound of the failed ones and the first is within the page, up to a bound."""
    views, embedded = [], 0
    for index, call in enumerate(run.calls):
        failed = run.has_failed(call)
        file = wav_name(call) if wav_name(call) in files else ""
        audio = file
        if file and (failed or index == 0):
            sound = wav_bytes(call)
            if embedded + len(sound) <= EMBED_LIMIT:
                embedded += len(sound)
                audio = "data:audio/wav;base64," + base64.b64encode(sound).decode("ascii")
        top = max(lane.peak for lane in call.lanes)
        lanes = tuple(lane_view(call, lane, top) for lane in call.lanes)
        seen = tuple(Counter(replace(one, at_s=None) for one in call.findings).items())
        views.append(CallView(call, failed, run.checks_of(call), lanes, seen, audio, file))
    return tuple(views)


def wav_bytes(call: CallEvidence) -> bytes:
    """The stereo recording as a WAV file in memory."""
    lanes = [lane.pcm for lane in call.lanes if lane.pcm is not None]
    both = np.zeros((max(map(len, lanes), default=0), 2), dtype="<i2")
    for channel, lane in enumerate(call.lanes):
        if lane.pcm is not None:
            both[: len(lane.pcm), channel] = lane.pcm
    target = io.BytesIO()
    with wave.open(target, "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes(both.tobytes())
    return target.getvalue()


def resource_views(run: RunEvidence) -> tuple[ResourceView, ...]:
    """Threads, tasks, sockets, files and memory after each call; what nobody gave is left out."""
    found = []
    for name in RESOURCES:
        values = [getattr(sample, name) for sample in run.resources]
        if any(value is not None for value in values):
            found.append(_resource(name, values, ""))
    sizes = [sample.memory_bytes for sample in run.resources]
    if any(size is not None for size in sizes):
        scaled = [None if size is None else size / MEGABYTE for size in sizes]
        found.append(_resource("memory", scaled, " MiB"))
    return tuple(found)


def _resource(name: str, values: Sequence[float | None], unit: str) -> ResourceView:
    chart = line_chart(values)
    if chart.first is None or chart.last is None:
        return ResourceView(name, chart, "not measured")
    text = f"{chart.first:.4g} \N{RIGHTWARDS ARROW} {chart.last:.4g}{unit}"
    if chart.missing:
        text += f", {chart.missing} not measured"
    return ResourceView(name, chart, text)


def doctor_count(diagnosis: Diagnosis | None, call: CallEvidence) -> str:
    """What the outside judge counted of the gateway's stream, to be held against our count."""
    if diagnosis is None or not diagnosis.version or not call.streams:
        return ""
    counts = [diagnosis.stream(call.call_id, ssrc) for ssrc in call.streams[0].ssrcs]
    known = [one for one in counts if one is not None]
    if not known:
        return "not seen"
    total = sum(one.packets for one in known)
    return f"{total} packets, {sum(one.lost or 0 for one in known)} lost"
