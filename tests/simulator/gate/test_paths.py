"""The network between gate and gateway: each direction by itself, and whom it excuses."""

from dataclasses import dataclass

import pytest

from simulator.audio.sound import stamps
from simulator.clock import run_virtual
from simulator.gate.gate import SimulatedGate
from simulator.gate.judge import Violation
from simulator.gate.paths import FairFindings, Path, Paths
from simulator.network import Address, Impairment
from tests.simulator.gate.reference_gateway import ReferenceGateway

FAR = ("127.0.0.1", 9)
LATE = Violation("rtp-gap", "RFC 3551 4.2", "late")
WRONG = Violation("wrong-tag", "RFC 3261 12.2.1.1", "wrong")


def test_a_path_may_become_bad_and_good_again_and_counts_only_while_bad() -> None:
    got: list[bytes] = []

    def send(data: bytes, _address: Address) -> None:
        got.append(data)

    async def main() -> None:
        path = Path()
        first, second = path.link(send), path.link(send)
        first(b"1", FAR)
        with path.impaired(Impairment(drop=(0,))):
            first(b"2", FAR)
            first(b"3", FAR)
            second(b"4", FAR)
        second(b"5", FAR)
        assert got == [b"1", b"3", b"5"]
        assert path.counts == {"sent": 3, "lost": 2, "delivered": 1}

    run_virtual(main())


def test_what_time_proves_is_excused_once_sip_was_impaired() -> None:
    async def main() -> None:
        paths = Paths()
        findings = FairFindings(paths=paths)
        findings.add(LATE)
        assert findings.violations == [LATE]
        paths.sip_in.impairment = Impairment(loss=1.0)
        paths.sip_in.link(lambda *_: None)(b"x", FAR)
        findings.add(LATE, WRONG)
        assert findings.violations == [LATE, WRONG]

    run_virtual(main())


def test_each_direction_loses_its_own() -> None:
    """The first INVITE and the first answer; then for 2 s all that the gateway says by RTP."""

    async def main() -> None:
        async with (
            ReferenceGateway(say=stamps(every_s=0.5)) as gateway,
            SimulatedGate(gateway=gateway.address) as gate,
        ):
            gate.paths.sip_out.impairment = Impairment(drop=(0,))
            gate.paths.sip_in.impairment = Impairment(drop=(0,))
            async with gate.dial("1", speak=stamps(every_s=0.5)) as call:
                assert call.setup_s == pytest.approx(0.5)
                await call.lasts(2.0)
                rtp, start_s = gateway.dialogs[call.dialog.call_id].rtp, call.heard.end_s
                assert rtp is not None
                heard_before = len(rtp.received)
                with gate.paths.rtp_in.impaired(Impairment(loss=1.0)):
                    await call.lasts(2.0)
                assert len(rtp.received) == heard_before + 100
                assert call.heard.end_s == start_s
                await call.lasts(1.0)
            assert call.heard.longest_gap_s() == pytest.approx(2.0, abs=0.05)
            assert call.rtp.lost == 0, "the judge stands before the network"
            gate.check()

    run_virtual(main())


def test_a_bad_network_for_rtp_both_ways_leaves_the_stamps() -> None:
    bad = Impairment(loss=0.02, jitter_s=0.03, reorder=0.02, duplicate=0.02, seed=3)

    async def main() -> None:
        async with (
            ReferenceGateway(say=stamps(every_s=0.5)) as gateway,
            SimulatedGate(gateway=gateway.address) as gate,
        ):
            gate.paths.rtp_in.impairment = bad
            async with gate.dial("1") as call:
                await call.lasts(10.0)
            assert gate.paths.rtp_in.counts["lost"] > 3
            assert gate.paths.rtp_in.counts["reordered"] > 3
            assert call.media.earpiece.doubled > 3
            assert call.media.earpiece.late == 0
            assert call.heard.only_from(Speaker(200), at_least=17)
            gate.check()

    run_virtual(main())


@dataclass(frozen=True)
class Speaker:
    """Whoever has that identity."""

    identity: int
    "In the stamps."
