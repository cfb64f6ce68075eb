"""voicegate: SIP calls to Gemini Live, call after call."""

__version__ = "0.1.0"
