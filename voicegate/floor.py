"""Who has the floor: tells the story when the caller and the model begin to speak and fall silent.

Fed with frames and sound; needs no clock of its own, since a frame of the caller comes each 20 ms.
"""

from voicegate.story import Happening, Story

PAUSE_FRAMES = 25
"""A caller who is quiet for half a second has stopped; a breath between words is no stop."""


class Floor:
    """Remembers who is speaking; each change is told once."""

    def __init__(self, story: Story) -> None:
        self._story = story
        self._caller_frames_left = 0
        self._model_speaks = False

    def caller_frame(self, speech: bool, model_queued_ms: float) -> None:
        """Take what the caller's next 20 ms are, and how much of the model is still to be heard."""
        if speech:
            if not self._caller_frames_left:
                self._story.tell(Happening.CALLER_SPEAKS)
            self._caller_frames_left = PAUSE_FRAMES
        elif self._caller_frames_left:
            self._caller_frames_left -= 1
            if not self._caller_frames_left:
                self._story.tell(Happening.CALLER_SILENT)
        if self._model_speaks and not model_queued_ms:
            self.model_silent()

    def model_sound(self) -> None:
        """Learn that there is sound of the model to be heard."""
        if not self._model_speaks:
            self._model_speaks = True
            self._story.tell(Happening.MODEL_SPEAKS)

    def model_silent(self) -> None:
        """Learn that all of it was heard, or is void."""
        if self._model_speaks:
            self._model_speaks = False
            self._story.tell(Happening.MODEL_SILENT)
