"""What each model takes and refuses, as a table. Pure."""

from dataclasses import dataclass
from typing import Literal

Behavior = Literal["BLOCKING", "NON_BLOCKING", ""]


@dataclass(frozen=True, slots=True)
class ModelRules:
    """The rules of the models whose name begins alike."""

    begins: str
    """The beginning of their names."""
    thinking_level: bool = False
    """The set-up must name a thinking level; elsewhere it is refused or of no use."""
    tool_behavior: Behavior = "BLOCKING"
    """What is declared with each tool; empty where the model knows but one way."""
    tool_scheduling: bool = True
    """The result of a tool that is not waited for may say when it is to be spoken of."""
    text_as_content: bool = False
    """What we write goes as a turn of its own, not as realtime text."""
    unannounced_life_s: float | None = None
    """The service closes so old a connection without a goAway before."""


MODELS = (
    # the first one that fits counts
    ModelRules(
        "gemini-3.8-live-extended-thinking",
        thinking_level=True,
        tool_behavior="NON_BLOCKING",
        tool_scheduling=False,
        unannounced_life_s=3480.0,
    ),
    ModelRules("gemini-3.8-live", unannounced_life_s=3480.0),
    ModelRules("gemini-3.1-flash-live", tool_behavior="", tool_scheduling=False),
    ModelRules("gemini-2.5-flash-native-audio", text_as_content=True),
    ModelRules("gemini-live-2.5-flash-native-audio", text_as_content=True),
)
UNKNOWN = ModelRules("")
"""A model that came after this table: as the newest ones, as far as is known."""


def rules_of(model: str) -> ModelRules:
    """Give the rules of a model, named with or without what stands before its name."""
    name = model.rpartition("models/")[2]
    return next((rules for rules in MODELS if name.startswith(rules.begins)), UNKNOWN)
