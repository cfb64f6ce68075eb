"""Tags and branches."""

from __future__ import annotations

import random
from collections import Counter
from typing import TYPE_CHECKING

from voicegate.sip.core import UaCore
from voicegate.sip.layer import TransactionLayer
from voicegate.sip.message import Received, Request, Response, parse

if TYPE_CHECKING:
    from tests.voicegate.sip.conftest import Rig


def a_core(seed: int = 1) -> UaCore:
    counters: Counter[str] = Counter()
    layer = TransactionLayer(counters, 10, lambda _peer: None)
    return UaCore(layer, random.Random(seed), "p", lambda _host: True, lambda _peer: None, counters)


def received(rig: Rig, **fields: str) -> Received:
    message = parse(rig.request(**fields))  # type: ignore[arg-type]
    assert isinstance(message, Request)
    return Received(message, rig.peer, rig.local)


def test_branches_and_tags_are_fresh_and_carry_the_cookie() -> None:
    core = a_core()
    assert len({core.new_branch() for _ in range(100)}) == 100
    assert core.new_branch().startswith("z9hG4bK")
    assert len({core.new_tag() for _ in range(100)}) == 100


def test_a_stateless_answer_has_the_same_tag_each_time(rig: Rig) -> None:
    core = a_core()
    assert core.stateless_tag(received(rig)) == core.stateless_tag(received(rig))
    assert core.stateless_tag(received(rig)) != core.stateless_tag(received(rig, call="other"))
    assert core.stateless_tag(received(rig)) != a_core(2).stateless_tag(received(rig))


def test_only_100_goes_without_a_tag(rig: Rig) -> None:
    core = a_core()
    assert core.response(received(rig), 100).to.tag == ""
    assert core.response(received(rig), 404).to.tag == core.stateless_tag(received(rig))
    assert core.response(received(rig), 404, tag="t").to.tag == "t"


def test_an_answer_is_remembered_and_a_stateless_one_is_not(rig: Rig) -> None:
    core = a_core()
    message = parse(rig.request("BYE"))
    assert isinstance(message, Request)
    got = Received(message, rig.peer, rig.local)
    core.answer_stateless(got, 481, reason="Gone")
    assert len(core.layer) == 0
    core.answer(got, 200, 0.0)
    assert len(core.layer) == 1
    answers = [parse(data) for data, _ in core.layer.outbox]
    assert [(a.status, a.reason) for a in answers if isinstance(a, Response)] == [
        (481, "Gone"),
        (200, "OK"),
    ]
