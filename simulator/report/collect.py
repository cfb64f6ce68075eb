"""From the calls of the simulator to evidence, with bounded memory."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from simulator.audio.heard import Heard
from simulator.audio.pcm import Floats
from simulator.gate.caller import SimulatedCall
from simulator.gate.judge import Findings
from simulator.gate.rtp_judge import RtpStats
from simulator.gate.wire import Address
from simulator.gemini.conversation import FakeSession
from simulator.pcap import Tape
from simulator.report.call import CallEvidence, Finding, StreamRow
from simulator.report.hearing import find_responses, judge_hearing, make_lane, match_stamps
from simulator.report.ladder import SipIndex
from simulator.report.lane import Lane, Response

AUDIO_LIMIT_S = 1800.0
"""Sound of so many seconds of calls is kept: 32 kB a second."""

FINDINGS_MAX = 100


class Collector:
    """Takes each call when it is over; gives all of them as evidence at the end.

    What a call left on the tape and with its judge after it was taken (a late packet, a BYE sent
    again) is in the evidence as well. Sound is kept for the first call, the failed ones and the
    newest, `audio_limit_s` in all.
    """

    def __init__(self, tape: Tape | None = None, *, audio_limit_s: float = AUDIO_LIMIT_S) -> None:
        self.audio_dropped = 0
        """Calls whose sound was not kept."""
        self._limit_s = audio_limit_s
        self._index = None if tape is None else SipIndex(tape)
        self._calls: list[CallEvidence] = []
        self._judges: list[tuple[Findings, Address]] = []

    def add(
        self, call: SimulatedCall, model: FakeSession | None = None, *, reason: str = ""
    ) -> CallEvidence:
        """Take a call that is over. `model` is who it spoke with, None when that is not ours.

        `reason` is the gateway's own word for its end. Gives the evidence so far.
        """
        evidence = collect_call(call, model, number=len(self._calls) + 1, reason=reason)
        self._calls.append(evidence)
        self._judges.append((call.findings, call.dialog.gateway))
        if self._index is not None:
            self._index.update()
        self._keep_bounds()
        return self._calls[-1]

    @property
    def calls(self) -> tuple[CallEvidence, ...]:
        """All calls, in the order they were taken."""
        if self._index is not None:
            self._index.update()
        return tuple(
            self._complete(call, findings, gateway)
            for call, (findings, gateway) in zip(self._calls, self._judges, strict=True)
        )

    @property
    def notes(self) -> tuple[str, ...]:
        """What bounds have dropped, in words."""
        found = []
        if self.audio_dropped:
            found.append(
                f"sound of {self.audio_dropped} calls was not kept ({self._limit_s:.0f} s)"
            )
        if self._index is not None and self._index.dropped:
            found.append(f"{self._index.dropped} packets went from the tape before they were read")
        return tuple(found)

    def _complete(self, call: CallEvidence, findings: Findings, gateway: Address) -> CallEvidence:
        from_model = tuple(one for one in call.findings if one.judge == "model")
        complete = replace(
            call,
            findings=(*_gate_findings(findings), *from_model)[:FINDINGS_MAX],
            findings_dropped=findings.dropped + max(0, len(findings.violations) - FINDINGS_MAX),
        )
        if self._index is None:
            return complete
        zero_s = call.began_at_s if call.invited_at_s is None else call.invited_at_s
        return replace(
            complete,
            ladder=self._index.rows(call.call_id, gateway, zero_s),
            ladder_dropped=self._index.dropped_of(call.call_id),
        )

    def _keep_bounds(self) -> None:
        """Let go of the oldest sound that nobody will ask for, until the rest is in bounds."""
        kept = [call for call in self._calls if call.gateway.pcm is not None]
        total_s = sum(call.gateway.duration_s for call in kept)
        unwanted = [call for call in kept if call.number > 1 and not call.findings]
        for call in [*unwanted, *reversed(kept)]:
            if total_s <= self._limit_s:
                return
            current = self._calls[call.number - 1]
            if current.gateway.pcm is None:
                continue
            self._calls[call.number - 1] = replace(
                current,
                caller=replace(current.caller, pcm=None),
                gateway=replace(current.gateway, pcm=None),
            )
            total_s -= call.gateway.duration_s
            self.audio_dropped += 1


def collect_call(
    call: SimulatedCall, model: FakeSession | None = None, *, number: int = 1, reason: str = ""
) -> CallEvidence:
    """One call that is over as evidence, without its SIP messages (a tape is needed for them)."""
    began_at_s, ended_at_s = _bounds(call)
    lanes = _lanes(call, model, began_at_s, ended_at_s)
    caller, gateway = lanes
    never_silent = model is not None and model.script.voice(model.number) is not None
    pcm = (caller.pcm, gateway.pcm)
    responses: tuple[Response, ...] = ()
    if pcm[0] is not None and pcm[1] is not None and not never_silent:
        responses = find_responses(pcm[0], pcm[1])
    return CallEvidence(
        number=number,
        identity=call.identity,
        model_identity=None if model is None else model.identity,
        caller=caller,
        gateway=gateway,
        calling=call.dialog.caller,
        called=call.number,
        call_id=call.dialog.call_id,
        invited_at_s=call.invited_at,
        began_at_s=began_at_s,
        answered_at_s=call.answered_at,
        ended_at_s=call.ended_at,
        ended_by=call.ended_by,
        reason=reason or _end_in_words(call),
        final_status=call.final_status,
        setup_ms=_ms(call.setup_s),
        responses=responses,
        release_ms=_ms(call.release_s),
        heard_by_caller=judge_hearing(gateway.stamps, call.heard, voice_known=model is not None),
        heard_by_model=judge_hearing(caller.stamps, None if model is None else model.heard),
        streams=stream_rows(call, model),
        findings=(*_gate_findings(call.findings), *_model_findings(model, began_at_s)),
    )


def _bounds(call: SimulatedCall) -> tuple[float, float]:
    """Where the lanes begin and end, loop time."""
    known = [at for at in (call.answered_at, call.invited_at) if at is not None]
    began_at_s = known[0] if known else 0.0
    if call.ended_at is not None:
        return began_at_s, max(began_at_s, call.ended_at)
    ends = [ear.end_s for ear in (call.heard, call.spoken) if ear.end_s is not None]
    return began_at_s, max([began_at_s, *ends])


def _lanes(
    call: SimulatedCall, model: FakeSession | None, began_at_s: float, ended_at_s: float
) -> tuple[Lane, Lane]:
    said_by_model = [] if model is None else model.spoken.stamps()
    heard_by_model = [] if model is None else model.heard.stamps()
    by_caller = match_stamps(
        call.spoken.stamps() if model is not None else [],
        heard_by_model,
        call.identity,
        began_at_s,
        ended_at_s,
    )
    by_gateway = match_stamps(
        said_by_model,
        call.heard.stamps(),
        None if model is None else model.identity,
        began_at_s,
        ended_at_s,
        may_be_cut=model is not None and model.sent["interrupted"] > 0,
    )
    return (
        make_lane("caller", call.spoken, began_at_s, ended_at_s, by_caller),
        make_lane("gateway", call.heard, began_at_s, ended_at_s, by_gateway),
    )


def stream_rows(call: SimulatedCall, model: FakeSession | None) -> tuple[StreamRow, ...]:
    """The streams of a call: what came from the gateway, what went to it, what the model got."""
    return (
        _received(call.rtp),
        StreamRow("caller to gateway (as sent)", packets=call.media.packets_sent),
        _uplink(model.heard, model) if model is not None else StreamRow("gateway to model", None),
    )


def _received(stats: RtpStats) -> StreamRow:
    intervals_ms = np.array(stats.intervals_s) * 1000
    return StreamRow(
        "gateway to caller",
        packets=stats.packets,
        ssrcs=tuple(stats.ssrcs),
        payload_types=tuple(sorted(stats.payload_types)),
        lost=stats.lost,
        foreign=stats.foreign,
        interval_p50_ms=_percentile(intervals_ms, 50),
        interval_p99_ms=_percentile(intervals_ms, 99),
        per_second=None if stats.mean_interval_s is None else 1 / stats.mean_interval_s,
        longest_gap_ms=_ms(stats.longest_gap_s) if stats.packets else None,
    )


def _uplink(ear: Heard, model: FakeSession) -> StreamRow:
    stats = model.uplink_stats
    return StreamRow(
        f"gateway to model ({ear.duration_s:.1f} s of sound)",
        packets=stats.chunks,
        per_second=stats.chunks_per_s or None,
        longest_gap_ms=_ms(stats.longest_gap_s) if stats.chunks > 1 else None,
    )


def _percentile(values: Floats, percent: float) -> float | None:
    return float(np.percentile(values, percent)) if len(values) else None


def _ms(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds * 1000, 3)


def _end_in_words(call: SimulatedCall) -> str:
    if call.final_status is not None and call.final_status >= 300:
        return f"refused with {call.final_status}"
    return call.state.value


def _gate_findings(findings: Findings) -> Sequence[Finding]:
    return [
        Finding("gate", one.rule, one.rfc, one.text) for one in findings.violations[:FINDINGS_MAX]
    ]


def _model_findings(model: FakeSession | None, began_at_s: float) -> Sequence[Finding]:
    if model is None:
        return []
    return [
        Finding("model", one.rule, "", one.text, one.at_s - began_at_s)
        for one in model.violations[:FINDINGS_MAX]
    ]
