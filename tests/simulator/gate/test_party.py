"""What both kinds of party do: keys in four ways, a crossed BYE, a new SSRC."""

import asyncio

import pytest

from simulator.audio.g711 import PCMA
from simulator.clock import run_virtual
from simulator.gate import CallState, NoAnswer, SimulatedGate
from simulator.gate.party import Keys
from simulator.gate.rtp import parse_rtp
from tests.simulator.gate.reference_peer import ReferencePeer


@pytest.mark.parametrize(
    ("by", "kind", "bodies"),
    [
        (
            "info-relay",
            "application/dtmf-relay",
            ["Signal=4\r\nDuration=160\r\n", "Signal=#\r\nDuration=160\r\n"],
        ),
        ("info-dtmf", "application/dtmf", ["4", "#"]),
    ],
)
def test_keys_go_by_info(by: Keys, kind: str, bodies: list[str]) -> None:
    async def main() -> None:
        async with ReferencePeer() as peer, SimulatedGate(gateway=peer.address) as gate:
            async with gate.dial("1000") as call:
                assert await call.press("4#", by=by) == [200, 200]
                with pytest.raises(ValueError, match="can be pressed"):
                    await call.press("x", by=by)
                assert await call.info(b"hello", "text/plain") == 415
            found = [(kind, body.replace("\n", "\r\n")) for kind, body in peer.infos[:2]]
            assert [body.replace("\r\r", "\r") for _, body in found] == bodies
            assert {kind for kind, _ in peer.infos[:2]} == {kind}
            gate.check()

    run_virtual(main())


def test_keys_go_as_tones() -> None:
    async def main() -> None:
        async with ReferencePeer() as peer, SimulatedGate(gateway=peer.address) as gate:
            async with gate.dial("1000", telephone_event=None) as call:
                assert await call.press("4", by="inband") == []
                rtp = peer.dialogs[call.dialog.call_id].rtp
                assert rtp is not None
            packets = [parse_rtp(data) for data in rtp.received]
            loud = [p for p in packets if abs(PCMA.decode(p.payload).astype(int)).max() > 1000]
            assert len(loud) == 5

    run_virtual(main())


def test_both_byes_cross_on_the_wire() -> None:
    async def main() -> None:
        async with ReferencePeer() as peer, SimulatedGate(gateway=peer.address) as gate:
            call = await gate.dial("1000")
            dialog = peer.dialogs[call.dialog.call_id]
            await call.lasts(0.1)
            call.cross_bye()
            peer.methods.clear()
            statuses_at_bye: list[int] = []
            plain = peer.on_bye

            def on_bye(headers: dict[str, list[str]], source: tuple[str, int]) -> None:
                statuses_at_bye.extend(peer.statuses)
                plain(headers, source)

            peer.on_bye = on_bye  # type: ignore[method-assign, assignment]
            peer.ask(dialog, "BYE")
            await call.ended(by="gateway", within_s=1)
            await call.hang_up()
            # Ours had reached the gateway before its own was answered.
            assert peer.methods == ["BYE"]
            assert statuses_at_bye == []
            assert peer.statuses == [200]
            assert call.bye_status == 200
            gate.check()

    run_virtual(main())


def test_a_new_ssrc_goes_on_by_the_same_port() -> None:
    async def main() -> None:
        async with ReferencePeer() as peer, SimulatedGate(gateway=peer.address) as gate:
            async with gate.dial("1000") as call:
                await call.lasts(0.5)
                call.change_ssrc()
                await call.lasts(0.5)
                rtp = peer.dialogs[call.dialog.call_id].rtp
                assert rtp is not None
            assert len({parse_rtp(data).ssrc for data in rtp.received}) == 2

    run_virtual(main())


def test_who_vanishes_answers_nothing() -> None:
    async def main() -> None:
        async with ReferencePeer() as peer, SimulatedGate(gateway=peer.address) as gate:
            call = await gate.dial("1000")
            call.vanish()
            peer.ask(peer.dialogs[call.dialog.call_id], "OPTIONS")
            await asyncio.sleep(1)
            assert peer.statuses == []
            assert (call.state, call.is_settled) == (CallState.VANISHED, True)
            peer.deaf = True
            other = await gate.dial("1000", until="sent")
            with pytest.raises(NoAnswer, match="INVITE"):
                await other.answered(within_s=1)

    run_virtual(main())
