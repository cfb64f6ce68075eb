"""What each model takes and refuses (F7), as a table."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from simulator.gemini.faults import INVALID_ARGUMENT, Fault


@dataclass(frozen=True)
class ModelRules:
    """The behaviour of one model."""

    name: str
    """Without "models/"."""
    voice_activity: bool = True
    """Says `voiceActivity` when the caller starts to speak (3.x)."""
    stream_end_ends_speech: bool = False
    """`audioStreamEnd` ends an utterance; where not, the end needs trailing frames."""
    takes_media_chunks: bool = False
    """The old `mediaChunks` still works."""
    content_after_turn: bool = True
    """`clientContent` may come after the model's first turn."""
    thinking_level: str = "refused"
    """refused, optional or required."""
    scheduling: bool = True
    """A function response may say when it is to be used."""
    blocking_tools: bool = False
    """A function without `behavior` blocks the turn; new input cancels its call."""
    always_transcribes: bool = True
    """Tells what the caller said even when not asked to."""
    affective: bool = False
    """`enableAffectiveDialog` exists (on v1alpha)."""
    silent_after_lost_calls: bool = False
    """After a resumption the next utterance is swallowed while lost tool calls are unanswered."""
    interaction_status: bool = False
    """A turn's end says whether the model goes on (IN_PROGRESS) or waits (IDLE)."""
    lifetime_s: float = 600.0
    """A connection's life."""
    warning_s: float = 50.0
    """goAway comes this long before; 0 means that none comes."""

    def status(self, busy: bool) -> str:
        """Give the interaction status at a turn's end, empty where the model has none."""
        if not self.interaction_status:
            return ""
        return "IN_PROGRESS" if busy else "IDLE"


V38 = ModelRules("gemini-3.8-live", silent_after_lost_calls=True, lifetime_s=3480.0, warning_s=0.0)
V31 = ModelRules(
    "gemini-3.1-flash-live-preview",
    stream_end_ends_speech=True,
    content_after_turn=False,
    thinking_level="optional",
    blocking_tools=True,
)
V25 = ModelRules(
    "gemini-2.5-flash-native-audio-preview-12-2025",
    voice_activity=False,
    stream_end_ends_speech=True,
    takes_media_chunks=True,
    thinking_level="optional",
    blocking_tools=True,
    always_transcribes=False,
    affective=True,
)
THINKING = replace(
    V38,
    name="gemini-3.8-live-extended-thinking",
    thinking_level="required",
    scheduling=False,
    interaction_status=True,
)
MODELS: Mapping[str, ModelRules] = {
    rules.name: rules
    for rules in (V38, THINKING, V31, V25, replace(V25, name="gemini-live-2.5-flash-native-audio"))
}


def find_rules(
    setup: Mapping[str, Any], version: str, known: Mapping[str, ModelRules]
) -> ModelRules:
    """Give the rules of the model that `setup` names. Raises Fault 1008 for an unknown one."""
    full = setup.get("model", "")
    # projects/P/locations/L/publishers/google/models/M on Vertex, models/M elsewhere
    rules = known.get(full.rpartition("models/")[2]) if "models/" in full else None
    if rules is None:
        text = f"{full} is not found for API version {version}, or is not supported for "
        raise Fault(1008, text + "bidiGenerateContent. Call ListModels to see the list.", "F7")
    return rules


def check_setup(setup: Mapping[str, Any], rules: ModelRules, version: str) -> None:
    """Raise Fault 1007 where this model or this API version does not take the setup."""
    _check_proactivity(setup, rules, version)
    generation = setup.get("generationConfig", {})
    _check_thinking(generation.get("thinkingConfig", {}), rules)
    if generation.get("enableAffectiveDialog") and not (rules.affective and version == "v1alpha"):
        raise _unknown("enableAffectiveDialog", "setup.generation_config")
    modalities = generation.get("responseModalities", ["AUDIO"])
    if modalities == ["TEXT"]:
        raise Fault(1007, "Cannot extract voices from a non-audio request.", "F7")
    if modalities != ["AUDIO"]:
        raise Fault(1007, INVALID_ARGUMENT, "F7")


def _check_proactivity(setup: Mapping[str, Any], rules: ModelRules, version: str) -> None:
    if "proactivity" not in setup:
        return
    if version != "v1alpha":
        raise _unknown("proactivity", "setup")
    # Always on with 3.8: it cannot be switched off.
    if rules.name.startswith("gemini-3.8") and not setup["proactivity"].get("proactiveAudio", True):
        raise Fault(1007, INVALID_ARGUMENT, "F7")


def _check_thinking(thinking: Mapping[str, Any], rules: ModelRules) -> None:
    has_level = "thinkingLevel" in thinking
    if rules.thinking_level == "required" and not has_level:
        raise Fault(1007, "Thinking level must be specified for this model.", "F7")
    if rules.thinking_level == "refused" and has_level:
        raise Fault(1007, "Thinking level is not supported for this model.", "F7")


def _unknown(name: str, path: str) -> Fault:
    text = f"Invalid JSON payload received. Unknown name \"{name}\" at '{path}': Cannot find field."
    return Fault(1007, text, "F7")
