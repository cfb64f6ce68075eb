"""Each check of this machine: what it says where all is well, and where it is not."""

import asyncio
import os
import socket
import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme

from tests.wine import not_under_wine
from voicegate.config import Config, load
from voicegate.host import local
from voicegate.host.findings import Verdict


def configured(**sections: Mapping[str, object]) -> Config:
    return load(environ={}, dotenv=None, overrides=sections)


@pytest.fixture
def taken() -> Iterator[int]:
    # TCP chooses: a port that it has given away lately is not to be had by number
    with (
        socket.create_server(("127.0.0.1", 0)) as tcp,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp,
    ):
        port = int(tcp.getsockname()[1])
        udp.bind(("127.0.0.1", port))
        yield port


def test_a_port_that_is_taken_is_fatal_and_named(taken: int) -> None:
    for found in (
        local.sip_port(configured(sip={"port": taken})),
        local.admin_port(configured(admin={"port": taken})),
    ):
        assert (found.verdict, found.fatal) == (Verdict.FAIL, True)
        assert str(taken) in found.text
        assert "stop the program" in found.mend


@not_under_wine("binds to any address")
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


@pytest.mark.parametrize(
    ("step_s", "verdict"), [(1e-7, Verdict.OK), (0.001, Verdict.OK), (0.0156, Verdict.WARN)]
)
def test_a_coarse_clock_is_told(
    monkeypatch: pytest.MonkeyPatch, step_s: float, verdict: Verdict
) -> None:
    loop = asyncio.SelectorEventLoop()
    loop._clock_resolution = step_s  # type: ignore[attr-defined]
    monkeypatch.setattr(local, "new_event_loop", lambda: loop)
    found = local.clock(Config())
    assert found.verdict is verdict
    assert ("15.6 ms" in found.text) == (verdict is Verdict.WARN)


def test_select_on_windows_bounds_the_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    many = configured(sip={"max_calls": 200})
    monkeypatch.setattr(local, "_descriptors", lambda: None)
    monkeypatch.setattr(sys, "platform", "linux")
    assert local.capacity(many).verdict is Verdict.OK
    monkeypatch.setattr(sys, "platform", "win32")
    found = local.capacity(many)
    assert (found.verdict, found.fatal) == (Verdict.FAIL, True)
    assert "sip.max_calls to 150" in found.mend


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


def test_open_files_bound_the_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local, "_descriptors", lambda: 1024)
    monkeypatch.setattr(sys, "platform", "linux")
    assert local.capacity(configured(sip={"max_calls": 100})).verdict is Verdict.OK
    found = local.capacity(configured(sip={"max_calls": 200}))
    assert found.verdict is Verdict.FAIL
    assert "LimitNOFILE" in found.mend


def test_every_signalling_address_is_tried(taken: int) -> None:
    several = {"port": taken + 1, "listen": ["127.0.0.2"], "transports": ["udp", "tcp"]}
    assert local.sip_port(configured(sip=several)).text.count("127.0.0.2") == 2
    by_tcp = {"port": 0, "transports": ["udp", "tls"], "tls_port": taken, "tls_certificate": "x"}
    found = local.sip_port(configured(sip=by_tcp))
    assert (found.verdict, f"TLS 127.0.0.1:{taken} cannot" in found.text) == (Verdict.FAIL, True)


def test_a_certificate_that_is_none_is_fatal(tmp_path: Path) -> None:
    assert local.tls_files(configured()).verdict is Verdict.OK
    file = tmp_path / "cert.pem"
    file.write_text("nothing")
    served = {"transports": ["tls"], "tls_certificate": str(file)}
    found = local.tls_files(configured(sip=served))
    assert (found.verdict, found.fatal) == (Verdict.FAIL, True)


def test_a_port_of_ours_within_the_range_is_told() -> None:
    found = local.rtp_range(configured(sip={"port": 10010}))
    assert (found.verdict, "10010" in found.text) == (Verdict.FAIL, True)


def test_a_gate_on_the_internet_needs_an_address_that_it_can_send_to(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sip = {"host": "192.168.1.2", "allow": ["8.8.8.8"]}
    [found] = local.way_to_the_gate(configured(sip=sip))
    assert (found.verdict, "media.advertised_address" in found.mend) == (Verdict.WARN, True)
    media = {"advertised_address": "9.9.9.9"}
    [found] = local.way_to_the_gate(configured(sip=sip, media=media))
    assert found.verdict is Verdict.OK


def test_the_users_own_code_is_loaded_as_at_start() -> None:
    assert local.own_code(configured()).verdict is Verdict.OK
    for sections in (
        {"call": {"hook": "no_such:hook"}},
        {"call": {"greeting_wav": "none.wav"}},
        {"tools": {"functions": ["no_such:tool"]}},
    ):
        found = local.own_code(configured(**sections))
        assert (found.verdict, found.fatal, "no" in found.text) == (Verdict.FAIL, True, True)


def test_settings_without_effect_are_named() -> None:
    assert local.effect(configured()).verdict is Verdict.OK
    found = local.effect(configured(record={"audio": True}))
    assert (found.verdict, "record.dir" in found.text) == (Verdict.WARN, True)


def test_a_cdr_that_cannot_be_written_is_fatal(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    found = local.record_folder(configured(record={"cdr": str(tmp_path / "file" / "cdr.jsonl")}))
    assert (found.verdict, found.fatal, "record.cdr" in found.mend) == (Verdict.FAIL, True, True)
    assert local.record_folder(configured(record={"cdr": str(tmp_path / "cdr")})).verdict == "ok"


@pytest.mark.parametrize("everybody", ["0.0.0.0/0", "::/0"])
def test_a_gateway_for_everybody_is_a_warning(everybody: str) -> None:
    allow = ["192.168.1.20", everybody]
    [found] = local.way_to_the_gate(configured(sip={"host": "0.0.0.0", "allow": allow}))
    assert (found.verdict, "at your expense" in found.text) == (Verdict.WARN, True)


@pytest.mark.parametrize(
    ("days", "verdict"), [(-90, Verdict.OK), (-3, Verdict.WARN), (1, Verdict.FAIL)]
)
def test_a_certificate_that_ends_soon_is_told(tmp_path: Path, days: int, verdict: Verdict) -> None:
    file, end = tmp_path / "both.pem", datetime(2030, 1, 1, tzinfo=UTC)
    authority = trustme.CA()
    authority.issue_cert(
        "gateway.test", not_after=end
    ).private_key_and_cert_chain_pem.write_to_path(file)
    served = {"transports": ["tls"], "tls_certificate": str(file)}
    found = local.tls_files(configured(sip=served), lambda: end + timedelta(days=days))
    assert (found.verdict, found.fatal, "2030-01-01" in found.text) == (verdict, False, True)
