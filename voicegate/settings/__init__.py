"""The sections of the configuration: every key, its unit, its default, its check."""

from voicegate.settings.admin import AdminSettings
from voicegate.settings.call import CallSettings
from voicegate.settings.media import MediaSettings
from voicegate.settings.record import RecordSettings
from voicegate.settings.routes import CallChanges, RouteSettings
from voicegate.settings.sip import SipSettings
from voicegate.settings.tools import ToolsSettings, WebhookSettings
from voicegate.settings.voice import GeminiSettings, VoiceSettings

__all__ = [
    "AdminSettings",
    "CallChanges",
    "CallSettings",
    "GeminiSettings",
    "MediaSettings",
    "RecordSettings",
    "RouteSettings",
    "SipSettings",
    "ToolsSettings",
    "VoiceSettings",
    "WebhookSettings",
]
