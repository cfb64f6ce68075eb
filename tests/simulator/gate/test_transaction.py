import asyncio

from simulator.clock import run_virtual
from simulator.gate.transaction import ClientTransaction, Watch
from tests.simulator.gate.messages import BYE, GATE, GATEWAY, INVITE, OK, TRYING, message

BYE_OK = OK.replace("102 INVITE", "1 BYE")


def sent_times(request: str, answer: str | None = None, answer_at_s: float = 0.0) -> list[float]:
    """When the request goes out in 40 s, if that answer comes at that time."""

    async def main() -> list[float]:
        loop = asyncio.get_running_loop()
        start, times = loop.time(), []
        transaction = ClientTransaction(
            message(request).data,
            lambda _data: times.append(round(loop.time() - start, 3)),
            lambda _transaction, _response: None,
            Watch(),
        )
        transaction.start()
        if answer is not None:
            loop.call_later(answer_at_s, transaction.receive, message(answer))
        await asyncio.sleep(40)
        assert transaction.timed_out == (answer is None)
        return times

    return run_virtual(main())


def test_an_invite_is_sent_again_at_growing_times_until_32_s() -> None:
    assert sent_times(INVITE) == [0, 0.5, 1.5, 3.5, 7.5, 15.5, 31.5]


def test_another_request_is_sent_again_at_most_each_4_s() -> None:
    assert sent_times(BYE) == [0, 0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5]


def test_a_final_answer_ends_it() -> None:
    assert sent_times(BYE, BYE_OK, 1.0) == [0, 0.5]


def test_ringing_keeps_an_invite_from_being_sent_again() -> None:
    async def main() -> None:
        transaction = ClientTransaction(
            message(INVITE).data, lambda _data: None, lambda *_: None, Watch()
        )
        transaction.start()
        transaction.receive(message(TRYING))
        await asyncio.sleep(60)
        assert not transaction.timed_out
        assert not transaction.done
        transaction.receive(message(OK))
        assert transaction.status == 200
        assert transaction.first_response_at == transaction.sent_at

    run_virtual(main())


def test_a_response_is_judged_against_the_request_and_those_before_it() -> None:
    async def main() -> None:
        transaction = ClientTransaction(
            message(INVITE).data, lambda _data: None, lambda *_: None, Watch()
        )
        assert transaction.judge(message(OK), GATEWAY, GATE) == []
        other = message(OK, ("tag=gw1", "tag=gw2"), ("abc@", "abd@"))
        rules = [violation.rule for violation in transaction.judge(other, GATEWAY, GATE)]
        assert rules == ["call-id-echoed", "to-tag-stable"]

    run_virtual(main())


def test_a_watch_wakes_all_and_gives_up_in_time() -> None:
    async def main() -> None:
        watch, facts = Watch(), [False]
        loop = asyncio.get_running_loop()
        start = loop.time()

        def come_true() -> None:
            facts[0] = True
            watch.changed()

        loop.call_later(1.0, watch.changed)
        loop.call_later(2.0, come_true)
        assert not await watch.until(lambda: facts[0], 1.5)
        async with asyncio.TaskGroup() as group:
            waits = [group.create_task(watch.until(lambda: facts[0], 9.0)) for _ in range(2)]
        assert [wait.result() for wait in waits] == [True, True]
        assert loop.time() - start == 2.0
        assert await watch.until(lambda: facts[0], 0.0)

    run_virtual(main())
