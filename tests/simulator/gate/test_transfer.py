import asyncio

import pytest

from simulator.clock import run_virtual
from simulator.gate.judge import Findings
from simulator.gate.transaction import ClientTransaction, Watch
from simulator.gate.transfer import Transfer, TransferPlan, fragment, judge_notify, judge_refer
from tests.simulator.gate.messages import BYE, message

REFER = BYE.replace("BYE", "REFER").replace("CSeq: 1", "CSeq: 7")
NOTIFY = (
    BYE.replace("BYE", "NOTIFY")
    .replace(
        "User-Agent: voicegate",
        "Event: refer;id=7\r\nSubscription-State: terminated;reason=noresource\r\n"
        "Content-Type: message/sipfrag;version=2.0",
    )
    .replace("Content-Length: 0\r\n\r\n", "Content-Length: 16\r\n\r\nSIP/2.0 200 OK\r\n")
)


@pytest.mark.parametrize(
    ("due", "old", "new"),
    [
        ("", "", ""),
        ("", "terminated;reason=noresource", "active;expires=60"),
        ("notify-event", "Event: refer", "Event: presence"),
        ("notify-state", "Subscription-State: terminated", "Subscription-State: over"),
        ("notify-state", "reason=noresource", "reason=timeout"),
        ("notify-body", "message/sipfrag", "text/plain"),
        ("notify-body", "SIP/2.0 200 OK\r\n", "it went well..\r\n"),
    ],
)
def test_one_sin_of_a_notify(due: str, old: str, new: str) -> None:
    found = judge_notify(message(NOTIFY, (old, new)))
    assert [violation.rule for violation in found] == ([due] if due else [])


def test_a_refer_says_where_to_once() -> None:
    one = REFER.replace("User-Agent", "Refer-To: <sip:a@h>\r\nUser-Agent")
    assert list(judge_refer(message(one))) == []
    assert [violation.rule for violation in judge_refer(message(REFER))] == ["refer-to"]
    two = one.replace("User-Agent", "Refer-To: <sip:b@h>\r\nUser-Agent")
    assert [violation.rule for violation in judge_refer(message(two))] == ["refer-to"]


def test_a_transfer_follows_its_notifies() -> None:
    async def main() -> None:
        refer = ClientTransaction(REFER.encode(), lambda _data: None, lambda *_: None, Watch())
        findings = Findings()
        transfer = Transfer(refer, findings)
        assert not transfer.accepted
        assert transfer.outcome is None
        active = message(
            NOTIFY, ("terminated;reason=noresource", "active;expires=60"), ("200 OK", "180 OK")
        )
        assert transfer.wants(active)
        assert not transfer.wants(message(NOTIFY, ("id=7", "id=8")))
        transfer.take(active)
        assert (transfer.progress, transfer.over) == ([180], False)
        transfer.take(message(NOTIFY))
        outcome: object = transfer.outcome
        assert (transfer.progress, outcome) == ([180, 200], 200)
        assert not transfer.wants(message(NOTIFY))
        assert findings.violations == []
        await asyncio.sleep(0)

    run_virtual(main())


def test_a_plan_tells_first_that_it_tries() -> None:
    assert TransferPlan().outcomes == (100, 200)
    assert fragment(486, "Busy Here") == b"SIP/2.0 486 Busy Here\r\n"
