import pytest

from simulator.clock import run_virtual
from simulator.gate import NoAnswer, SimulatedGate
from tests.simulator.gate.reference_gateway import ReferenceGateway


def test_a_gate_asks_for_life_and_says_what_it_has() -> None:
    async def main() -> None:
        async with (
            ReferenceGateway() as gateway,
            SimulatedGate(gateway=gateway.address) as gate,
        ):
            assert await gate.options() == 200
            assert gate.address.host == "127.0.0.1"
            assert gate.qualified == []
            assert gate.open_calls == 0
            with pytest.raises(ValueError, match="has no proxy"):
                _ = gate.proxy
            gateway.deaf = True
            with pytest.raises(NoAnswer, match="no answer to OPTIONS"):
                await gate.options(within_s=2)
            gate.send_raw(b"hello")

    run_virtual(main())


def test_a_gate_may_live_without_a_gateway() -> None:
    async def main() -> None:
        async with SimulatedGate() as gate:
            with pytest.raises(ValueError, match="knows no gateway"):
                gate.send_raw(b"hello")
            with pytest.raises(ValueError, match="knows no gateway"):
                await gate.register("100")

    run_virtual(main())
