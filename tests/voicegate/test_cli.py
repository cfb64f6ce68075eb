"""The command line as a user meets it: a process, its exit code, its words."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import IO

import pytest

from tests.wine import not_under_wine
from voicegate import __version__

STOPS: list[int] = [signal.SIGINT, signal.SIGTERM]
NEW_GROUP = 0
if sys.platform == "win32":  # Ctrl+Break alone reaches a group of its own, and us not
    STOPS, NEW_GROUP = [signal.CTRL_BREAK_EVENT], subprocess.CREATE_NEW_PROCESS_GROUP
ECHO = {
    "VOICEGATE_VOICE__BACKEND": "echo",
    "VOICEGATE_SIP__PORT": "0",
    "VOICEGATE_ADMIN__PORT": "0",
}


def environment(**variables: str) -> dict[str, str]:
    steering = ("VOICEGATE_", "GEMINI_", "GOOGLE_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(steering)}
    return kept | variables


def voicegate(*arguments: str, cwd: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "voicegate", *arguments],
        capture_output=True,
        text=True,
        encoding="utf-8",
        cwd=cwd,
        env=environment(**variables),
        timeout=60,
        check=False,
    )


def test_the_version(tmp_path: Path) -> None:
    assert voicegate("--version", cwd=tmp_path).stdout.strip() == __version__


def test_config_shows_what_is_in_effect_without_secrets(tmp_path: Path) -> None:
    variables = {
        "VOICEGATE_SIP__PORT": "5070",
        "GEMINI_API_KEY": "hush",
        "VOICEGATE_RECORD__WEBHOOK": "https://us:hush@127.0.0.1/calls?token=hush&a=1",
    }
    shown = voicegate("config", cwd=tmp_path, **variables)
    assert shown.returncode == 0
    assert "[sip]" in shown.stdout
    assert "port = 5070" in shown.stdout
    assert "hush" not in shown.stdout


def test_serving_loads_neither_the_judge_nor_the_tools_of_tests(tmp_path: Path) -> None:
    code = (
        "import sys, voicegate.cli, voicegate.gateway, voicegate.voice.gemini\n"
        "found = {'pytest', 'matplotlib', 'jinja2', 'hypothesis', 'scapy', 'simulator'}"
        " & set(sys.modules)\n"
        "sys.exit(str(found) if found else 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_a_wrong_setting_is_named_and_ends_with_2(tmp_path: Path) -> None:
    refused = voicegate("serve", cwd=tmp_path, VOICEGATE_SIP__PROT="1")
    assert refused.returncode == 2
    assert refused.stderr.strip() == (
        "sip.prot: Extra inputs are not permitted; did you mean sip.port?"
    )


@pytest.mark.parametrize("command", ["config", "serve"])
def test_user_code_that_cannot_be_used_is_refused_at_start(tmp_path: Path, command: str) -> None:
    hook = {"VOICEGATE_CALL__HOOK": "no_such_module:hook", "VOICEGATE_VOICE__BACKEND": "echo"}
    refused = voicegate(command, cwd=tmp_path, **hook)
    assert refused.returncode == 2
    assert "call.hook: 'no_such_module:hook'" in refused.stderr
    assert "tools.python_path" in refused.stderr


def test_config_shows_each_route_as_a_table(tmp_path: Path) -> None:
    shown = voicegate("config", cwd=tmp_path, VOICEGATE_ROUTE='[{"called": "100"}, {"voice": "K"}]')
    assert shown.stdout.count("[[route]]") == 2
    assert 'called = "100"' in shown.stdout


def test_a_missing_key_is_named_and_ends_with_2(tmp_path: Path) -> None:
    refused = voicegate("serve", cwd=tmp_path)
    assert refused.returncode == 2
    assert "Mend: set GEMINI_API_KEY" in refused.stderr


def test_check_works_without_a_key_and_says_what_is_missing(tmp_path: Path) -> None:
    free = {"VOICEGATE_SIP__PORT": "0", "VOICEGATE_ADMIN__PORT": "0"}
    looked = voicegate("check", "--json", "--no-calls", cwd=tmp_path, **free)
    told = json.loads(looked.stdout)
    assert (looked.returncode, told["passed"]) == (0, True)
    by_name = {one["name"]: one for one in told["findings"]}
    assert by_name["gemini.api_key"]["verdict"] == "warn"
    assert "GEMINI_API_KEY" in by_name["gemini.api_key"]["mend"]


def test_check_fails_where_calls_would_and_names_the_mend(tmp_path: Path) -> None:
    small = {"VOICEGATE_MEDIA__RTP_PORTS": "[10000, 10009]", "VOICEGATE_SIP__PORT": "0"}
    looked = voicegate("check", "--no-calls", cwd=tmp_path, **small)
    assert looked.returncode == 1
    assert (
        "fail  media.rtp_ports: 10 ports for 50 calls. Mend: set media.rtp_ports" in looked.stdout
    )


def test_a_call_is_ordered_of_a_gateway_that_runs(
    serving: subprocess.Popen[str], tmp_path: Path
) -> None:
    with serving:
        assert serving.stderr
        port = until_ready(serving.stderr)["admin_port"]
        ordered = voicegate("call", "200", "--admin", f"http://127.0.0.1:{port}", cwd=tmp_path)
        serving.terminate()
        serving.stderr.read()
    assert ordered.returncode == 2
    assert "the gateway refuses: sip.outbound is not set" in ordered.stderr


def test_a_call_where_nobody_can_be_asked_says_so(tmp_path: Path) -> None:
    unknown = voicegate("call", "200", cwd=tmp_path, VOICEGATE_ADMIN__PORT="0")
    assert (unknown.returncode, "name it with --admin" in unknown.stderr) == (2, True)
    nobody = voicegate("call", "200", "--json", "--admin", "http://127.0.0.1:9", cwd=tmp_path)
    assert (nobody.returncode, json.loads(nobody.stdout)["code"]) == (3, 3)


def test_a_gate_that_is_no_address_is_refused(tmp_path: Path) -> None:
    refused = voicegate("check", "--gate", "gate.example:x", cwd=tmp_path)
    assert refused.returncode == 2
    assert "--gate gate.example:x: write an address" in refused.stderr


def test_init_writes_a_settings_file_once(tmp_path: Path) -> None:
    first = voicegate("config", "--init", cwd=tmp_path)
    written = (tmp_path / "voicegate.toml").read_text(encoding="utf-8")
    assert (first.returncode, "[sip]" in written) == (0, True)
    second = voicegate("config", "--init", cwd=tmp_path)
    assert second.returncode == 2
    assert "exists; nothing was written" in second.stderr
    assert (tmp_path / "voicegate.toml").read_text(encoding="utf-8") == written


@pytest.mark.parametrize(
    ("arguments", "begins"),
    [
        (("windows",), "<service>"),
        (("windows", "--with", "nssm"), "nssm install voicegate"),
        (("systemd",), "[Unit]"),
    ],
)
def test_service_prints_the_file_alone_and_the_steps_beside_it(
    arguments: tuple[str, ...], begins: str, tmp_path: Path
) -> None:
    shown = voicegate("service", *arguments, cwd=tmp_path)
    assert shown.returncode == 0
    assert shown.stdout.startswith(begins)
    assert "1. " in shown.stderr


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    refused = voicegate("serve", "--config", "none.toml", cwd=tmp_path)
    assert (refused.returncode, refused.stderr.strip()) == (2, "none.toml: no such file")


def until_ready(errors: IO[str]) -> dict[str, object]:
    for line in errors:
        entry: dict[str, object] = json.loads(line)
        if entry["event"] == "gateway ready":
            return entry
    raise AssertionError("the gateway ended before it was ready")


@pytest.fixture
def serving(tmp_path: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "voicegate", "serve"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        cwd=tmp_path,
        env=environment(**ECHO),
        creationflags=NEW_GROUP,
    )


@not_under_wine("sends no Ctrl+Break to a child")
@pytest.mark.parametrize("number", STOPS)
def test_serve_says_where_it_listens_and_ends_on_a_signal(
    serving: subprocess.Popen[str], number: int
) -> None:
    with serving:
        assert serving.stderr
        ready = until_ready(serving.stderr)
        assert (ready["host"], ready["level"]) == ("127.0.0.1", "info")
        serving.send_signal(number)
        rest = serving.stderr.read()
    assert serving.returncode == 0
    assert "gateway stopped" in rest
    assert "Traceback" not in rest


def test_a_taken_port_names_the_setting(serving: subprocess.Popen[str], tmp_path: Path) -> None:
    with serving:
        assert serving.stderr
        port = str(until_ready(serving.stderr)["port"])
        second = voicegate("serve", cwd=tmp_path, **(ECHO | {"VOICEGATE_SIP__PORT": port}))
        serving.terminate()
        serving.stderr.read()
    assert second.returncode == 2
    assert f"sip.port: UDP 127.0.0.1:{port} cannot be had" in second.stderr
    assert "Mend: stop the program on that port" in second.stderr
