"""Each check of this machine: what it says where all is well, and where it is not."""

import asyncio
import os
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from voicegate.config import Config, load
from voicegate.host import local
from voicegate.host.findings import Verdict


def configured(**sections: dict[str, object]) -> Config:
    return load(environ={}, dotenv=None, overrides=sections)


@pytest.fixture
def taken() -> Iterator[int]:
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp,
        socket.socket(socket.AF_INET, socket.SOCK_STREAM) as tcp,
    ):
        udp.bind(("127.0.0.1", 0))
        port = int(udp.getsockname()[1])
        tcp.bind(("127.0.0.1", port))
        tcp.listen()
        yield port


def test_a_port_that_is_taken_is_fatal_and_named(taken: int) -> None:
    for found in (
        local.sip_port(configured(sip={"port": taken})),
        local.admin_port(configured(admin={"port": taken})),
    ):
        assert (found.verdict, found.fatal) == (Verdict.FAIL, True)
        assert str(taken) in found.text
        assert "stop the program" in found.mend


def test_an_address_of_another_machine_is_refused() -> None:
    found = local.sip_port(configured(sip={"host": "192.0.2.1", "port": 0}))
    assert found.verdict is Verdict.FAIL


def test_the_range_must_have_two_ports_for_each_call() -> None:
    small = configured(media={"rtp_ports": [20000, 20009]}, sip={"max_calls": 10})
    found = local.rtp_range(small)
    assert found.verdict is Verdict.FAIL
    assert "[20000, 20019]" in found.mend


def test_ports_of_the_range_that_are_taken_are_a_warning(taken: int) -> None:
    low = taken - taken % 2
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        if low != taken:
            one.bind(("127.0.0.1", low))
        found = local.rtp_range(
            configured(media={"rtp_ports": [low, low + 3]}, sip={"max_calls": 1})
        )
    assert found.verdict is Verdict.WARN
    assert str(low) in found.text


@pytest.mark.parametrize(
    ("host", "allow", "verdict"),
    [
        ("127.0.0.1", ["127.0.0.0/8"], Verdict.WARN),
        ("127.0.0.1", ["192.0.2.7"], Verdict.FAIL),
        ("192.0.2.1", ["192.0.2.7"], Verdict.OK),
    ],
)
def test_the_gate_must_reach_us(host: str, allow: list[str], verdict: Verdict) -> None:
    [found] = local.way_to_the_gate(configured(sip={"host": host, "allow": allow}))
    assert found.verdict is verdict


def test_everywhere_is_seen_as_the_face_towards_the_gate(monkeypatch: pytest.MonkeyPatch) -> None:
    everywhere = configured(sip={"host": "0.0.0.0", "allow": ["192.0.2.7"]})
    monkeypatch.setattr(local, "face_towards", lambda peer, _: "192.0.2.1")
    [found] = local.way_to_the_gate(everywhere)
    assert found.text == "the gate sees us as 192.0.2.1"
    monkeypatch.setattr(local, "face_towards", lambda peer, otherwise: otherwise)
    [found] = local.way_to_the_gate(everywhere)
    assert found.verdict is Verdict.FAIL


def test_the_clock_is_fine_here_and_a_coarse_one_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    assert local.clock(Config()).verdict is Verdict.OK
    coarse = asyncio.SelectorEventLoop()
    coarse._clock_resolution = 0.0156  # type: ignore[attr-defined]
    monkeypatch.setattr(local, "new_event_loop", lambda: coarse)
    found = local.clock(Config())
    assert found.verdict is Verdict.WARN
    assert "15.6 ms" in found.text


def test_select_on_windows_bounds_the_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    many = configured(sip={"max_calls": 200})
    assert local.capacity(many).verdict is Verdict.OK
    monkeypatch.setattr(sys, "platform", "win32")
    assert local.capacity(many).verdict is Verdict.FAIL


def test_a_proxy_that_will_be_used_is_told() -> None:
    environ = {"https_proxy": "http://proxy:3128"}
    assert local.proxy_variables(configured(), environ).verdict is Verdict.WARN
    passed_by = configured(gemini={"use_proxy": False})
    assert local.proxy_variables(passed_by, environ).verdict is Verdict.OK
    assert local.proxy_variables(configured(), {}).verdict is Verdict.OK


def test_a_folder_that_cannot_be_written_is_fatal(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    there = local.record_folder(configured(record={"dir": str(tmp_path / "records")}))
    assert there.verdict is Verdict.OK
    found = local.record_folder(configured(record={"dir": str(tmp_path / "file")}))
    assert (found.verdict, found.fatal) == (Verdict.FAIL, True)
    assert os.listdir(tmp_path / "records") == []


def test_a_full_disk_is_a_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local, "DISK_FREE_BYTES", 1 << 62)
    found = local.record_folder(configured(record={"dir": str(tmp_path)}))
    assert found.verdict is Verdict.WARN


def test_a_missing_key_keeps_serve_from_starting_but_not_the_check_from_passing() -> None:
    found = local.api_key(configured())
    assert (found.verdict, found.fatal) == (Verdict.WARN, True)
    assert local.api_key(configured(gemini={"api_key": "k"})).verdict is Verdict.OK
    assert local.api_key(configured(voice={"backend": "echo"})).verdict is Verdict.OK
