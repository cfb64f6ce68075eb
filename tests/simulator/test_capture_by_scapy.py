"""An outside dissector reads a call's capture, and finds what the gate's own journal says."""

import itertools
from pathlib import Path

import pytest

from scenarios.inprocess import serving
from simulator.audio.sound import stamps
from simulator.clock import run_virtual
from simulator.gate.caller import SimulatedCall
from simulator.gate.gate import SimulatedGate
from simulator.gemini.server import FakeGemini
from simulator.pcap import Tape

FRAME_SAMPLES = 160


async def one_call(tape: Tape, patch: pytest.MonkeyPatch) -> SimulatedCall:
    async with FakeGemini() as gemini:
        for name, value in gemini.environment.items():
            patch.setenv(name, value)
        gemini.always(say=stamps(every_s=1.0))
        async with (
            serving({}) as gateway,
            SimulatedGate(gateway=gateway.agent.local, tape=tape) as gate,
        ):
            async with gate.dial("1000", speak=stamps(every_s=1.0)) as call:
                await call.lasts(3)
            return call


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_scapy_reads_the_same_stream(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scapy = pytest.importorskip("scapy.all")
    tape = Tape()
    call = run_virtual(one_call(tape, monkeypatch))
    tape.save(tmp_path / "run.pcap")
    packets = scapy.rdpcap(str(tmp_path / "run.pcap"))
    assert len(packets) == len(tape.packets)
    rtp = []
    for packet in packets:
        again = packet.__class__(bytes(packet))
        del again["IP"].chksum, again["UDP"].chksum
        rebuilt = packet.__class__(bytes(again))
        assert packet["IP"].chksum == rebuilt["IP"].chksum
        assert packet["UDP"].chksum == rebuilt["UDP"].chksum
        data = bytes(packet["UDP"].payload)
        if data[:1] == b"\x80" and packet["UDP"].dport == call.media.port:
            rtp.append(scapy.RTP(data))
    # the first one may come before the gate has read where it is to come from
    assert len(rtp) == call.rtp.packets + call.rtp.foreign
    assert {one.sourcesync for one in rtp} == set(call.rtp.ssrcs)
    steps = [(b.sequence - a.sequence) % 65536 for a, b in itertools.pairwise(rtp)]
    assert set(steps) == {1}
    ticks = [(b.timestamp - a.timestamp) % 2**32 for a, b in itertools.pairwise(rtp)]
    assert set(ticks) == {FRAME_SAMPLES}
