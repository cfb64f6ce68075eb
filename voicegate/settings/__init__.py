"""The sections of the configuration: every key, its unit, its default, its check."""

from voicegate.settings.admin import AdminSettings
from voicegate.settings.call import CallSettings
from voicegate.settings.media import MediaSettings
from voicegate.settings.record import RecordSettings
from voicegate.settings.sip import SipSettings
from voicegate.settings.voice import GeminiSettings, VoiceSettings

__all__ = [
    "AdminSettings",
    "CallSettings",
    "GeminiSettings",
    "MediaSettings",
    "RecordSettings",
    "SipSettings",
    "VoiceSettings",
]
