"""`/metrics`: every figure of docs/operate.md, taken from the thing itself when it is asked for."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, cast

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)

from voicegate import __version__
from voicegate.admin.resources import memory_bytes
from voicegate.admin.tally import Distribution, figures

if TYPE_CHECKING:
    from voicegate.gateway import Gateway

PREFIX = "voicegate_"
Samples = Mapping[str, float] | Mapping[tuple[str, str], float]


class _Scrape:
    """What `generate_latest` asks for one scrape; nothing is registered, no thread is started."""

    def __init__(self, families: Iterable[Metric]) -> None:
        self._families = families

    def collect(self) -> Iterable[Metric]:
        """Give the families."""
        return self._families


def exposition(gateway: "Gateway", held: Mapping[str, Any]) -> bytes:
    """Give the text for Prometheus; `held` is what `/resources` gives."""
    return generate_latest(cast(CollectorRegistry, _Scrape(families(gateway, held))))


def families(gateway: "Gateway", held: Mapping[str, Any]) -> Iterator[Metric]:
    """Give every family, those without a sample too."""
    yield from _state(gateway, held)
    yield from _calls(gateway)
    yield from _media(gateway)
    yield from _trouble(gateway)


def _state(gateway: "Gateway", held: Mapping[str, Any]) -> Iterator[Metric]:
    yield _gauge("build_info", "The version that runs.", {__version__: 1}, "version")
    yield _gauge("ready", "1 while new calls are admitted.", gateway.takes_calls)
    yield _gauge("calls_active", "Calls that are not released yet.", held["calls"])
    yield _gauge(
        "calls_max", "Calls that may be at once: sip.max_calls.", gateway.config.sip.max_calls
    )
    yield _gauge("gemini_sessions_active", "Conversations open.", held["gemini_sessions"])
    yield _gauge("threads", "Threads of the process.", len(held["threads"]))
    yield _gauge("tasks", "Tasks, the admin side's own left out.", len(held["tasks"]))
    yield _gauge("open_sockets", "Inet sockets, the admin side's left out.", held["sockets"])
    yield _gauge("open_files", "Regular files open.", held["files"])
    yield _gauge("memory_bytes", "Resident memory of the process.", memory_bytes())
    yield _gauge("rtp_ports", "RTP ports by state.", held["rtp_ports"], "state")


def _calls(gateway: "Gateway") -> Iterator[Metric]:
    board, sip = gateway.board, gateway.agent.counters
    board.look_for_stuck()
    tally = board.tally
    busy = sip["refused_busy"] + sip["waiting_calls_full"]
    results = {**tally.results, "busy": busy}
    yield _counter("calls", "Calls by what became of them.", results, "result")
    yield _counter("calls_ended", "Calls that are over, by reason.", tally.reasons, "reason")
    yield _counter("calls_stuck", "Calls not over 5 minutes after they should be.", tally.stuck)
    yield _histogram("call_duration_seconds", "INVITE to the end of the talk.", tally.duration)
    yield _histogram("setup_seconds", "INVITE to 200.", tally.setup)
    yield _histogram("release_seconds", "End of the talk to all released.", tally.release)
    yield _histogram(
        "response_seconds", "End of caller speech to first model audio.", tally.response
    )
    yield _histogram(
        "barge_in_stop_seconds", "Caller speech heard to model cut off.", tally.barge_in_stop
    )
    yield _counter("gemini_reconnects", "Connections taken up again in a call.", tally.reconnects)


def _media(gateway: "Gateway") -> Iterator[Metric]:
    board, sip = gateway.board, gateway.agent.counters
    media = _media_totals(gateway)
    packets = {"in": media["packets_in"], "out": media["packets_out"]}
    yield _counter("rtp_packets", "RTP packets.", packets, "dir")
    yield _counter("rtp_lost", "RTP packets of callers that never came.", media["lost"])
    yield _counter("rtp_late", "RTP packets of callers that came too late.", media["late"])
    gap = board.tally.rtp_gap
    yield _histogram("rtp_gap_seconds", "Longest time without a packet of the caller.", gap)
    yield _counter("clock_late", "20 ms ticks met over 5 ms late, per call.", media["ticks_late"])
    drops = {
        "uplink": media["uplink_dropped"],
        "rtp_send": media["send_blocked"],
        "sip_send": sip["dropped_sends"],
        "sip_waiting": sip["waiting_calls_full"],
        "browser": board.browser_drops,
    }
    yield _counter("queue_drops", "What a full queue dropped.", drops, "queue")
    skipped = {
        "jitter": media["jitter_overflow_ms"] / 1000,
        "playout": media["playout_overflow_ms"] / 1000,
    }
    yield _counter("audio_dropped_seconds", "Sound a full buffer dropped.", skipped, "queue")
    yield _histogram(
        "call_audio_dbfs", "Level of the sound of a call, both ways.", board.tally.levels, "dir"
    )
    yield _gauge(
        "numbered_call_audio_dbfs",
        "The same of the 1st, 10th, 20th and 50th call of this process.",
        board.tally.numbered,
        "call",
        "dir",
    )


def _trouble(gateway: "Gateway") -> Iterator[Metric]:
    sip, board = gateway.agent.counters, gateway.board
    errors = {"sip": sip["udp_errors"], "rtp": _media_totals(gateway)["udp_errors"]}
    yield _counter("udp_errors", "Errors of UDP sockets, survived.", errors, "socket")
    reopened = {"sip": sip["udp_reopened"], "rtp": _media_totals(gateway)["reopened"]}
    yield _counter("udp_reopened", "Deaf UDP sockets opened anew.", reopened, "socket")
    yield _counter("asyncio_errors", "Complaints of asyncio.", board.complaints.count)
    yield _counter("alarms", "Alarms of the watchdogs of calls.", board.tally.alarms, "what")
    yield _counter("sip_events", "What came in by SIP, by kind.", dict(sorted(sip.items())), "what")


def _media_totals(gateway: "Gateway") -> Counter[str]:
    """Add the running sessions' counters to those of the sessions that are over."""
    totals = Counter(gateway.board.tally.media)
    for watch in gateway.board.running.values():
        if media := watch.call.progress.media:
            totals.update(figures(asdict(media.counters())))
    return totals


def _fill(family: Any, samples: float | Samples) -> Any:
    """Add the samples to a family, by the value of its label, or of both its labels."""
    if not isinstance(samples, Mapping):
        family.add_metric((), samples)
        return family
    for key, value in samples.items():
        family.add_metric((key,) if isinstance(key, str) else key, value)
    return family


def _gauge(name: str, text: str, samples: float | Samples, *labels: str) -> Metric:
    return cast(Metric, _fill(GaugeMetricFamily(PREFIX + name, text, labels=labels), samples))


def _counter(name: str, text: str, samples: float | Samples, *labels: str) -> Metric:
    return cast(Metric, _fill(CounterMetricFamily(PREFIX + name, text, labels=labels), samples))


def _histogram(
    name: str, text: str, found: Distribution | Mapping[str, Distribution], *labels: str
) -> Metric:
    family = HistogramMetricFamily(PREFIX + name, text, labels=labels)
    for key, one in found.items() if isinstance(found, Mapping) else [("", found)]:
        family.add_metric((key,) if labels else (), one.buckets(), one.sum)
    return family
