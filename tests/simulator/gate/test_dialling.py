import pytest

from simulator.clock import run_virtual
from simulator.gate import CallRefused, SimulatedGate
from tests.simulator.gate.reference_gateway import ReferenceGateway


def test_awaited_the_call_goes_on_and_in_a_block_it_ends_with_it() -> None:
    async def main() -> None:
        async with ReferenceGateway() as gateway, SimulatedGate(gateway=gateway.address) as gate:
            awaited = await gate.dial("1000")
            async with gate.dial("1000") as held:
                assert gate.open_calls == 2
            assert held.is_over
            assert awaited.is_up
            await awaited.hang_up()

    run_virtual(main())


def test_a_block_is_not_entered_when_the_call_fails() -> None:
    async def main() -> None:
        async with ReferenceGateway() as gateway, SimulatedGate(gateway=gateway.address) as gate:
            gateway.refuse = b"486 Busy Here"
            with pytest.raises(CallRefused, match="486"):
                async with gate.dial("1000"):
                    pytest.fail("entered")
            assert gate.open_calls == 0

    run_virtual(main())
