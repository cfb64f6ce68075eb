"""A slow path: order, bandwidth, latency; the head of a frame."""

import asyncio

import pytest
from websockets.frames import Frame, Opcode

from simulator.clock import run_virtual
from simulator.gemini.wire import Slowness, SlowPath, frame_head


def test_bandwidth_and_latency_add_up_and_nothing_overtakes() -> None:
    async def main() -> list[tuple[float, bytes]]:
        loop, got = asyncio.get_running_loop(), []
        zero_s = loop.time()
        path = SlowPath(lambda data: got.append((round(loop.time() - zero_s, 3), data)))
        assert path.is_fast
        path.slowness = Slowness(octets_per_s=10.0, delay_s=0.5)
        path.put(b"a" * 10)
        path.put(b"b" * 5)
        assert path.behind_s == pytest.approx(1.5)
        path.slowness = Slowness()
        assert not path.is_fast, "what is under way comes first"
        path.put(b"c")
        await asyncio.sleep(3.0)
        assert path.is_fast
        path.slowness = Slowness(delay_s=1.0)
        path.put(b"d")
        path.close()
        await asyncio.sleep(3.0)
        return got

    assert run_virtual(main()) == [(1.5, b"a" * 10), (2.0, b"b" * 5), (2.0, b"c")]


@pytest.mark.parametrize("wrong", [{"octets_per_s": 0.0}, {"delay_s": -1.0}])
def test_what_can_not_be_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="nothing would ever arrive"):
        Slowness(**wrong)


def test_a_frame_s_head_is_that_of_websockets() -> None:
    whole = Frame(Opcode.BINARY, bytes(70_000)).serialize(mask=False)
    assert frame_head(70_000) == whole[:10]
