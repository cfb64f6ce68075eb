"""The rules are the [media] settings, one for one."""

import dataclasses

from voicegate.media.rules import MediaRules
from voicegate.settings import MediaSettings


def test_the_rules_are_the_settings_with_the_same_defaults() -> None:
    settings = MediaSettings().model_dump(exclude={"rtp_ports", "codecs"})
    assert dataclasses.asdict(MediaRules()) == settings
