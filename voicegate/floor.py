"""Who has the floor: tells the story when the caller and the model begin to speak and fall silent.

Fed with frames and sound; needs no clock of its own, since a frame of the caller comes each 20 ms.
"""

from voicegate.story import Happening, Story

PAUSE_FRAMES = 25
"""A caller who is quiet for half a second has stopped; a breath between words is no stop."""
GAP_FRAMES = 10
"""A model whose sound comes just in time runs dry between two pieces; a fifth of a second is an
end."""


class Floor:
    """Remembers who is speaking; each change is told once."""

    def __init__(self, story: Story) -> None:
        self._story = story
        self._caller_frames_left = 0
        self._model_frames_left = 0

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
        if model_queued_ms and self._model_frames_left:
            self._model_frames_left = GAP_FRAMES
        elif self._model_frames_left == 1:
            self.model_silent()
        elif self._model_frames_left:
            self._model_frames_left -= 1

    def model_sound(self) -> None:
        """Learn that there is sound of the model to be heard."""
        if not self._model_frames_left:
            self._story.tell(Happening.MODEL_SPEAKS)
        self._model_frames_left = GAP_FRAMES

    def model_silent(self) -> None:
        """Learn that all of it was heard, or is void."""
        if self._model_frames_left:
            self._model_frames_left = 0
            self._story.tell(Happening.MODEL_SILENT)
