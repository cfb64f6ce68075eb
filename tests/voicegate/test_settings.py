"""Each section by itself: defaults that are safe, and values that are checked."""

import pytest
from pydantic import BaseModel, ValidationError

from voicegate.settings import (
    AdminSettings,
    CallSettings,
    GeminiSettings,
    MediaSettings,
    RecordSettings,
    SipSettings,
    VoiceSettings,
)

SECTIONS = (
    SipSettings,
    MediaSettings,
    CallSettings,
    VoiceSettings,
    GeminiSettings,
    RecordSettings,
    AdminSettings,
)


@pytest.mark.parametrize("section", SECTIONS)
def test_every_key_is_described(section: type[BaseModel]) -> None:
    missing = [name for name, field in section.model_fields.items() if not field.description]
    assert missing == []


@pytest.mark.parametrize("section", SECTIONS)
def test_a_section_cannot_be_changed_or_extended(section: type[BaseModel]) -> None:
    with pytest.raises(ValidationError):
        section(surprise=1)
    with pytest.raises(ValidationError):
        setattr(section(), next(iter(section.model_fields)), "changed")


def test_the_no_speech_limit_is_fifteen_seconds() -> None:
    assert CallSettings().no_speech_timeout_s == 15.0
    assert CallSettings().check_in_s == 0.0


def test_networks_of_both_families_may_be_allowed() -> None:
    allowed = SipSettings(allow=("10.0.0.0/8", "192.0.2.7", "2001:db8::/32")).allow
    assert allowed == ("10.0.0.0/8", "192.0.2.7", "2001:db8::/32")


def test_loopback_needs_no_token_whatever_its_family() -> None:
    assert AdminSettings(host="::1").host == "::1"
