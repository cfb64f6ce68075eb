"""[record] what is kept of a call."""

from typing import Annotated

from pydantic import AfterValidator, Field

from voicegate.settings.base import PathText, Section


def _web_url(text: str) -> str:
    if text and not text.startswith(("https://", "http://")):
        raise ValueError(f"{text!r} must begin with https:// or http://")
    return text


class RecordSettings(Section):
    """[record] what is kept of a call."""

    dir: PathText = ""
    """Folder for the records; empty keeps none."""
    audio: bool = False
    """Keep a stereo WAV of each call; needs dir."""
    transcript: bool = False
    """Keep what was said, and the digits keyed, as text; needs dir."""
    pcap: bool = False
    """Keep the packets; needs dir."""
    full_numbers: bool = False
    """Keep the caller's whole number; else all but its last four digits is hidden."""
    keep_days: Annotated[int, Field(ge=0, le=36500)] = 0
    """Delete records of days that lie further back than so many; 0 keeps them for ever."""
    announcement: str = ""
    """What the model says before anything else, such as that the call is recorded; empty for
    nothing."""
    cdr: PathText = ""
    """File to which each call adds one JSON line with its figures; empty for none."""
    webhook: Annotated[str, AfterValidator(_web_url)] = ""
    """URL to which the figures of each call are posted at its end; empty for none."""

    @property
    def lacks_dir(self) -> bool:
        """Whether something is to be kept, and nowhere said where."""
        return not self.dir and (self.audio or self.transcript or self.pcap)
