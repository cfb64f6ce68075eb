"""`gatesim soak`: many calls against a gateway of its own process."""

import socket
from pathlib import Path

import pytest

from simulator.gemini.authority import kept_authority
from tests.simulator.commands.processes import ECHO, gatesim, only_json, refused, serving


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_all_calls_are_well_and_nothing_is_left(tmp_path: Path) -> None:
    admin = free_port()
    with serving(tmp_path, **(ECHO | {"VOICEGATE_ADMIN__PORT": str(admin)})) as seen:
        target = f"sip:127.0.0.1:{seen['gateway ready']['port']}"
        run = gatesim(
            *("soak", target, "--calls", "6", "--concurrency", "3", "--call-s", "1.2"),
            *("--rate", "20", "--resources", f"http://127.0.0.1:{admin}/resources", "--json"),
        )

    found = only_json(run)
    assert (run.returncode, found["ok"], found["success_percent"]) == (0, True, 100.0)
    calls = found["calls"]
    assert (calls["made"], calls["ok"], calls["most_at_once"]) == (6, 6, 3)
    assert found["resources"]["left_behind"] == []
    assert found["resources"]["after"]["calls"] == 0
    assert 0 < found["setup_ms"]["p50"] <= found["setup_ms"]["p99"]
    assert found["rtp_interval_ms"]["p50"] == pytest.approx(20, abs=2)
    assert "calls 6/6 all well" in run.stderr


def test_its_own_model_and_the_callers_hear_each_other_and_no_one_else(tmp_path: Path) -> None:
    port, certificates = free_port(), tmp_path / "certificates"
    gemini = {
        "VOICEGATE_SIP__PORT": "0",
        "VOICEGATE_ADMIN__PORT": "0",
        "VOICEGATE_MEDIA__RTP_PORTS": "[28200, 28398]",
        "GOOGLE_GEMINI_BASE_URL": f"https://127.0.0.1:{port}",
        "SSL_CERT_FILE": str(kept_authority(certificates).ca_file),
        "GEMINI_API_KEY": "fake-key",
    }
    with serving(tmp_path, **gemini) as seen:
        target = f"sip:127.0.0.1:{seen['gateway ready']['port']}"
        run = gatesim(
            *("soak", target, "--calls", "3", "--concurrency", "3", "--call-s", "4", "--json"),
            *("--gemini-listen", f"127.0.0.1:{port}", "--certificates", str(certificates)),
        )
        without = gatesim("soak", target, "--calls", "1", "--call-s", "1", "--json")

    found = only_json(run)
    assert (run.returncode, found["failures"], found["model_violations"]) == (0, {}, [])
    assert found["calls"]["ok"] == 3
    assert f"GOOGLE_GEMINI_BASE_URL=https://127.0.0.1:{port}" in run.stderr
    # once the fake is gone the gateway refuses, and the soak says with what
    told = only_json(without)
    assert (without.returncode, told["calls"]["answered"]) == (1, 0)
    [(kind, count)] = told["failures"].items()
    assert kind.startswith("call refused: 503")
    assert count == 1


def test_nobody_there_ends_with_3() -> None:
    run = gatesim("soak", "sip:127.0.0.1:9", "--calls", "1", "--json")

    assert run.returncode == 3
    assert "no answer to OPTIONS" in only_json(run)["error"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--rate", "51"], "rate"),
        (["--calls", "10001"], "calls"),
        (["--concurrency", "501"], "concurrency"),
        (["--gemini-listen", "127.0.0.1:0", "--call-s", "1"], "--call-s 3 or more"),
        (["--gemini-listen", "127.0.0.1:0", "--speak", "hello"], "needs --speak stamps"),
        (["--resources", "localhost"], "no URL"),
    ],
)
def test_a_wrong_use_ends_with_2(arguments: list[str], words: str) -> None:
    assert words in refused("soak", "sip:127.0.0.1:9", *arguments)
