"""The way to Gemini without asking anybody, and what to do about each of its answers."""

from pathlib import Path

import pytest

from voicegate.config import Config, load
from voicegate.host import internet
from voicegate.host.findings import Verdict


def configured(**sections: dict[str, object]) -> Config:
    return load(environ={}, dotenv=None, overrides=sections)


ECHO = configured(voice={"backend": "echo"})


def test_a_missing_key_keeps_serve_from_starting_but_not_the_check_from_passing() -> None:
    found = internet.api_key(configured())
    assert (found.verdict, found.fatal) == (Verdict.WARN, True)
    assert internet.api_key(configured(gemini={"api_key": "k"})).verdict is Verdict.OK
    assert internet.api_key(ECHO).verdict is Verdict.OK


@pytest.mark.parametrize("key", ['"AIza"', "AIza xyz", "AIza\n", "AI\u0417a"])
def test_what_can_be_no_key_is_told_and_not_shown(key: str) -> None:
    found = internet.api_key(configured(gemini={"api_key": key}))
    assert (found.verdict, found.fatal) == (Verdict.FAIL, True)
    assert key not in str(found)


def test_certificates_that_are_not_there_are_named(tmp_path: Path) -> None:
    missing = {"SSL_CERT_FILE": str(tmp_path / "none.pem")}
    found = internet.certificates(configured(), missing)
    assert (found.verdict, "unset SSL_CERT_FILE" in found.mend) == (Verdict.FAIL, True)
    assert (
        internet.certificates(configured(), {"SSL_CERT_DIR": str(tmp_path)}).verdict is Verdict.OK
    )
    assert internet.certificates(configured(), {}).verdict is Verdict.OK
    assert internet.certificates(ECHO, missing).verdict is Verdict.OK


def test_a_proxy_that_will_be_used_is_told() -> None:
    environ = {"https_proxy": "http://proxy:3128"}
    assert internet.proxy_variables(configured(), environ).verdict is Verdict.WARN
    passed_by = configured(gemini={"use_proxy": False})
    assert internet.proxy_variables(passed_by, environ).verdict is Verdict.OK
    assert internet.proxy_variables(configured(), {}).verdict is Verdict.OK


def test_a_proxy_that_nobody_can_speak_to_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(internet, "find_spec", lambda _: None)
    found = internet.proxy_variables(configured(), {"ALL_PROXY": "socks5://proxy:1080"})
    assert (found.verdict, "python-socks" in found.mend) == (Verdict.FAIL, True)


@pytest.mark.parametrize(
    ("fault", "mend"),
    [
        ("Gemini refused the connection: HTTP 403: check gemini.api_key and that", "make a key"),
        ("Gemini closed the conversation: 1007 User location is not supported for", "not offered"),
        ("Gemini closed the conversation: 1007 Missing or malformed auth token", "no key"),
        (
            "Gemini closed the conversation: 1008 models/x is not found for API version",
            "Live model",
        ),
        ("Gemini closed the conversation: 1011 You exceeded your current quota", "spend cap"),
        ("Gemini refused the connection: HTTP 429: the quota is used up", "spend cap"),
        ("Gemini cannot be reached: SSLCertVerificationError: certificate verify", "date right"),
        ("Gemini cannot be reached: gaierror: [Errno -2] Name or service not known", "DNS"),
        ("Gemini cannot be reached: ConnectionRefusedError: [Errno 111]", "or set a proxy"),
        ("Gemini did not answer in time", "or set a proxy"),
        ('Gemini closed the conversation: 1007 Unknown name "proactivity" at', "defaults"),
        ("Gemini closed the conversation: 1007 API key not valid. Please pass", "make one at"),
        ("Gemini refused the connection: HTTP 404: check gemini.base_url and", "at v1beta"),
        ("Gemini closed the conversation: 1007 Request contains an invalid argument.", "defaults"),
        ("Gemini closed the conversation: 1007 Thinking level must be", "gemini.thinking_level"),
        ("Gemini cannot be reached: ImportError: python-socks is required", "pip install"),
        ("Gemini cannot be reached: InvalidProxy: HTTPS_PROXY isn't valid", "check HTTPS_PROXY"),
        ("something new", "check the key"),
    ],
)
def test_each_answer_has_its_mend(fault: str, mend: str) -> None:
    assert mend in internet.mend_of(fault)
