"""[record] what is kept of a call."""

from voicegate.settings.base import Section


class RecordSettings(Section):
    """[record] what is kept of a call."""

    dir: str = ""
    """Folder for the records; empty keeps none."""
    audio: bool = False
    """Keep a stereo WAV of each call."""
    transcript: bool = False
    """Keep what was said as text."""
    pcap: bool = False
    """Keep the packets."""
