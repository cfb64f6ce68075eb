import asyncio

import pytest

from simulator.clock import run_virtual
from simulator.gate.server import InviteServer
from tests.simulator.gate.messages import INVITE, message


async def served(status: int, acked_after_s: float | None) -> tuple[list[float], bool]:
    loop = asyncio.get_running_loop()
    start = loop.time()
    sent: list[float] = []
    gave_up: list[InviteServer] = []
    server = InviteServer(
        message(INVITE), lambda _data: sent.append(loop.time() - start), gave_up.append
    )
    server.respond(status, b"answer")
    assert server.waits
    if acked_after_s is not None:
        loop.call_later(acked_after_s, server.acknowledged)
    await asyncio.sleep(40)
    assert not server.waits
    return sent, bool(gave_up)


@pytest.mark.parametrize("status", [200, 486])
def test_a_final_answer_goes_out_until_its_ack(status: int) -> None:
    due = [0, 0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5]
    sent, gave_up = run_virtual(served(status, None))
    assert sent == pytest.approx(due, abs=0.001)
    assert gave_up
    sent, gave_up = run_virtual(served(status, 2.0))
    assert sent == pytest.approx(due[:3], abs=0.001)
    assert not gave_up


def test_the_newest_response_is_repeated_and_the_final_one_is_one() -> None:
    async def main() -> None:
        sent: list[bytes] = []
        server = InviteServer(message(INVITE), sent.append, lambda _server: None)
        server.repeated()
        server.respond(100, b"100")
        server.respond(180, b"180")
        server.repeated()
        server.respond(200, b"200")
        server.respond(486, b"486")
        server.repeated()
        server.acknowledged()
        server.repeated()
        assert sent == [b"100", b"180", b"180", b"200", b"200"]
        assert (server.status, server.acks, server.repeats) == (200, 1, 4)

    run_virtual(main())
