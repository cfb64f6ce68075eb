"""The fake service at a kept place."""

from pathlib import Path

import pytest

from simulator.target import voice
from simulator.target.remote import BadTarget


@pytest.mark.parametrize(
    ("text", "where"), [("127.0.0.1:9443", ("127.0.0.1", 9443)), ("[::1]:0", ("::1", 0))]
)
def test_where_to_listen_is_read(text: str, where: tuple[str, int]) -> None:
    assert voice.parse_listen(text) == where


@pytest.mark.parametrize("text", ["", "9443", ":9443", "127.0.0.1:", "127.0.0.1:99999"])
def test_what_names_no_place_is_told(text: str) -> None:
    with pytest.raises(BadTarget, match="write it as HOST:PORT"):
        voice.parse_listen(text)


def test_the_environment_stays_the_same_from_run_to_run(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(voice, "certificates", lambda: tmp_path)
    first = voice.kept_environment("127.0.0.1:9443")
    kept = Path(first["SSL_CERT_FILE"]).read_bytes()
    assert voice.kept_environment("127.0.0.1:9443") == first
    assert Path(first["SSL_CERT_FILE"]).read_bytes() == kept
    assert first["GOOGLE_GEMINI_BASE_URL"] == "https://127.0.0.1:9443"


async def test_without_a_place_any_port_will_do() -> None:
    async with voice.fake_for("") as fake:
        assert fake.port > 0
