"""A gateway in a process of its own: started, seen from outside, ended."""

import sys
from pathlib import Path

import pytest

from simulator.target.command import (
    GatewayLost,
    as_environment,
    free_block,
    running,
    seen_from_outside,
    served,
    tail,
)
from simulator.target.target import Target
from tests.wine import not_under_wine

ECHO = {"voice": {"backend": "echo"}}


def test_settings_become_the_variables_of_the_contract() -> None:
    assert as_environment({"sip": {"port": 5070, "allow": ["127.0.0.1"], "host": "127.0.0.1"}}) == {
        "VOICEGATE_SIP__PORT": "5070",
        "VOICEGATE_SIP__ALLOW": '["127.0.0.1"]',
        "VOICEGATE_SIP__HOST": "127.0.0.1",
    }
    assert as_environment({"route": [{"called": "100"}]}) == {
        "VOICEGATE_ROUTE": '[{"called": "100"}]'
    }


@not_under_wine("sends no Ctrl+Break to a child")
async def test_it_is_served_seen_and_ended() -> None:
    async with served(ECHO, {}) as target:
        assert target.take is not None
        counts = target.take().counts()
        assert counts["threads"] >= 3
        assert counts["objects"] == 0
        assert "gateway ready" in target.log()
        assert target.sins() == []


async def test_a_gateway_that_does_not_start_is_told_with_its_own_words() -> None:
    with pytest.raises(GatewayLost, match=r"exit code 2\n.*sip.max_calls"):
        async with served({"sip": {"max_calls": 0}}, {}):
            pytest.fail("it cannot start")


async def test_what_is_no_gateway_is_told() -> None:
    with pytest.raises(GatewayLost, match="exit code 0"):
        async with served({}, {}, (sys.executable, "-c", "print('hello')")):
            pytest.fail("that is no gateway")


def test_a_process_is_killed_with_its_block(tmp_path: Path) -> None:
    command = (sys.executable, "-c", "import time; time.sleep(60)")
    with running(command, tmp_path / "log", {}) as process:
        assert process.poll() is None
    assert process.returncode not in (None, 0)


def test_a_process_that_is_gone_cannot_be_looked_at() -> None:
    with pytest.raises(OSError, match="refused"):
        seen_from_outside(1, "http://127.0.0.1:1")


def test_blocks_of_ports_are_free_now() -> None:
    assert 1024 < free_block(100) < 65436


def test_the_tail_is_the_end_of_the_log() -> None:
    target = Target("x", ("127.0.0.1", 1), log=lambda: "\n".join(map(str, range(100))))
    assert tail(target, 3) == "97\n98\n99"
