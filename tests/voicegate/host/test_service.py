"""The texts of the service: what a wrapper must know stands in them."""

import xml.etree.ElementTree as ElementTree

import pytest

from voicegate.config import Config, load
from voicegate.host.service import (
    MARGIN_S,
    Installed,
    firewall_lines,
    nssm_lines,
    stop_timeout_s,
    systemd_steps,
    systemd_unit,
    windows_steps,
    winsw_xml,
)

WINDOWS = Installed("C:\\voicegate\\voicegate & co.exe", "C:\\voicegate\\voicegate.toml")
LINUX = Installed("/opt/voicegate/bin/voicegate", "/etc/voicegate/voicegate.toml")


def configured(**sections: dict[str, object]) -> Config:
    return load(environ={}, dotenv=None, overrides=sections)


@pytest.fixture
def config() -> Config:
    return configured(
        sip={"port": 5070, "allow": ["127.0.0.0/8", "192.0.2.7", "198.51.100.0/24"]},
        call={"drain_limit_s": 90},
        record={"dir": "/var/lib/voicegate/calls"},
    )


def test_winsw_gets_xml_that_restarts_and_waits_longer_than_the_drain(config: Config) -> None:
    service = ElementTree.fromstring(winsw_xml(config, WINDOWS))
    assert service.findtext("executable") == WINDOWS.program
    assert service.findtext("arguments") == f'serve --config "{WINDOWS.config}"'
    assert service.findtext("stoptimeout") == f"{90 + MARGIN_S} sec"
    restart = service.find("onfailure")
    assert restart is not None
    assert restart.get("action") == "restart"
    log = service.find("log")
    assert log is not None
    assert log.get("mode") == "roll-by-time"
    assert [(e.get("name"), e.get("value")) for e in service.findall("env")] == [
        ("PYTHONUTF8", "1")
    ]


def test_nssm_gets_the_same_in_its_own_words(config: Config) -> None:
    lines = nssm_lines(config, WINDOWS)
    assert f"AppStopMethodConsole {(90 + MARGIN_S) * 1000}" in lines
    assert "AppExit Default Restart" in lines
    assert "AppRotateFiles 1" in lines
    assert "AppEnvironmentExtra PYTHONUTF8=1" in lines
    assert lines.startswith("nssm install voicegate")


def test_systemd_restarts_but_not_after_a_wrong_setting(config: Config) -> None:
    unit = systemd_unit(config, LINUX)
    assert f'ExecStart="{LINUX.program}" serve --config "{LINUX.config}"' in unit
    assert f"TimeoutStopSec={stop_timeout_s(config)}" in unit
    assert "Restart=on-failure" in unit
    assert "RestartPreventExitStatus=2" in unit


def test_systemd_gives_the_account_a_folder_to_write_to(config: Config) -> None:
    unit = systemd_unit(config, LINUX)
    assert "DynamicUser=yes\nStateDirectory=voicegate\n" in unit
    assert "ReadWritePaths" not in unit
    assert "may not write" not in systemd_steps(config, LINUX)


def test_records_elsewhere_stay_closed_to_that_account_and_it_is_said() -> None:
    config = configured(record={"dir": "/srv/calls", "cdr": "/var/log/calls/cdr.jsonl"})
    unit, steps = systemd_unit(config, LINUX), systemd_steps(config, LINUX)
    for folder in ("/srv/calls", "/var/log/calls"):
        assert f"ReadWritePaths=-{folder}\n" in unit
        assert f"{folder}: the service's account may not write there" in steps


def test_the_firewall_opens_to_the_gate_alone(config: Config) -> None:
    sip, rtp = firewall_lines(config)
    assert "localport=5070 remoteip=192.0.2.7,198.51.100.0/24" in sip
    assert "localport=10000-10399" in rtp


def test_without_a_gate_the_firewall_line_says_what_is_missing() -> None:
    assert all(
        line.endswith("remoteip=ADDRESS-OF-THE-GATE") for line in firewall_lines(configured())
    )


def test_the_steps_name_the_files(config: Config) -> None:
    steps = windows_steps(config, WINDOWS)
    assert f'icacls "{WINDOWS.config}"' in steps
    assert "check --config" in steps
