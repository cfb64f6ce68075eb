"""[media]"""

import pytest
from pydantic import ValidationError

from voicegate.settings import MediaSettings


@pytest.mark.parametrize("ports", [(100, 200), (10000, 10001)])
def test_a_range_without_room_is_refused(ports: tuple[int, int]) -> None:
    with pytest.raises(ValidationError, match="write"):
        MediaSettings(rtp_ports=ports)


@pytest.mark.parametrize("address", ["gate.example.com", "0.0.0.0", "::"])
def test_the_advertised_address_must_be_somebodys(address: str) -> None:
    with pytest.raises(ValidationError, match="advertised_address"):
        MediaSettings(advertised_address=address)
    assert MediaSettings(advertised_address="203.0.113.5").rtp_never_s == 30.0


def test_g722_without_its_package_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("voicegate.settings.media.find_spec", lambda _name: None)
    assert MediaSettings(codecs=("PCMA",)).codecs == ("PCMA",)
    with pytest.raises(ValidationError, match=r"pip install voicegate\[g722\]"):
        MediaSettings(codecs=("G722", "PCMA"))
