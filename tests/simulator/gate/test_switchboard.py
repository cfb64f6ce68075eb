"""What a gate owns is closed, whichever way its calls and registrations ended."""

import asyncio

import pytest

from simulator.clock import run_virtual
from simulator.gate import SimulatedGate
from simulator.gate.switchboard import CALLS_MAX
from simulator.witness import Witness
from tests.simulator.gate.clocks import Run, both_clocks
from tests.simulator.gate.reference_caller import ReferenceCaller
from tests.simulator.gate.reference_peer import ReferencePeer


@both_clocks
def test_nothing_is_left_of_calls_that_the_gateway_made(run: Run) -> None:
    async def use(peer: ReferencePeer) -> None:
        async with SimulatedGate(gateway=peer.address, proxied=True) as gate:
            await gate.register("100", expires_s=60)
            gate.accept_registrations({"gw": "x"})
            await gate.answering("never called")
            async with ReferenceCaller(gate.address) as caller:
                for status in (200, None, 486):
                    call = await gate.answering(status=status)
                    await caller.call()
                    await call.invited()
                moved = await gate.dial("1")
                await moved.move_rtp()
                transfer = await moved.refer("sip:a@127.0.0.1:1")
                assert transfer.accepted
                await asyncio.sleep(0.01)

    async def once() -> None:
        async with ReferencePeer() as peer:
            await use(peer)

    async def main() -> None:
        with Witness() as witness:
            await once()
            await witness.settle()
            witness.baseline()
            await once()
            await witness.settle()
            witness.check(after="the gate")

    run(main())


def test_calls_are_bounded() -> None:
    async def main() -> None:
        async with SimulatedGate() as gate:
            board = gate._board
            call = await gate.answering()
            board.reception.awaited.extend([call] * (CALLS_MAX - 1))
            with pytest.raises(ValueError, match="more than 1000 calls"):
                await gate.answering()
            del board.reception.awaited[1:]

    run_virtual(main())
