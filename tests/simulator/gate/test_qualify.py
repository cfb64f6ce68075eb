import asyncio

from simulator.clock import run_virtual
from simulator.gate.judge import Findings
from simulator.gate.qualify import Qualifier
from simulator.gate.transaction import ClientTransaction, Watch
from tests.simulator.gate.messages import BYE, OK, message


def test_it_asks_in_its_period_and_waits_two_seconds() -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        start, asked, findings = loop.time(), [], Findings()

        def ask() -> ClientTransaction:
            asked.append(loop.time() - start)
            transaction = ClientTransaction(
                message(BYE).data, lambda _data: None, lambda *_: None, Watch()
            )
            transaction.start()
            after_s = 1.9 if len(asked) == 1 else 2.1
            loop.call_later(after_s, transaction.receive, message(OK))
            return transaction

        qualifier = Qualifier(ask, findings, 10.0)
        await asyncio.sleep(25)
        assert asked == [10.0, 20.0]
        assert qualifier.statuses == [200, None]
        assert [violation.rule for violation in findings.violations] == ["qualify-unanswered"]
        qualifier.stop()
        await asyncio.sleep(25)
        assert len(asked) == 2

    run_virtual(main())
