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
