"""The fake service for a target: on any port for our own gateways, at a kept place for others."""

from pathlib import Path

from simulator.gemini.authority import kept_authority
from simulator.gemini.server import API_KEY, FakeGemini
from simulator.target.remote import BadTarget


def certificates() -> Path:
    """Give the folder that keeps the certificate, so that SSL_CERT_FILE stays the same."""
    return Path.home() / ".voicegate" / "certificates"


def fake_for(listen: str) -> FakeGemini:
    """Give the fake for HOST:PORT, with the kept certificate; for "" on any free port."""
    if not listen:
        return FakeGemini()
    host, port = parse_listen(listen)
    return FakeGemini(host, port, authority=kept_authority(certificates(), host))


def kept_environment(listen: str) -> dict[str, str]:
    """Give the variables that a gateway elsewhere must be started with."""
    host, port = parse_listen(listen)
    return {
        "GOOGLE_GEMINI_BASE_URL": f"https://{host}:{port}",
        "SSL_CERT_FILE": str(kept_authority(certificates(), host).ca_file),
        "GEMINI_API_KEY": API_KEY,
    }


def parse_listen(text: str) -> tuple[str, int]:
    """Read HOST:PORT; raises BadTarget."""
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal() or not 0 <= int(port) < 65536:
        raise BadTarget(f"{text!r}: write it as HOST:PORT, such as 127.0.0.1:9443")
    return host.strip("[]"), int(port)
