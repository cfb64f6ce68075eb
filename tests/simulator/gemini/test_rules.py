"""The table of models: each refuses what the real one refuses."""

from typing import Any

import pytest

from simulator.gemini.faults import Fault
from simulator.gemini.rules import MODELS, check_setup, find_rules

V38 = "gemini-3.8-live"
V25 = "gemini-2.5-flash-native-audio-preview-12-2025"
THINKING = "gemini-3.8-live-extended-thinking"


def check(model: str, version: str = "v1beta", **setup: Any) -> None:
    setup["model"] = f"models/{model}"
    check_setup(setup, find_rules(setup, version, MODELS), version)


@pytest.mark.parametrize(
    ("model", "version", "setup", "text"),
    [
        (V38, "v1beta", {"proactivity": {}}, "Unknown name \"proactivity\" at 'setup'"),
        (V38, "v1alpha", {"proactivity": {"proactiveAudio": False}}, "invalid argument"),
        (
            V38,
            "v1beta",
            {"generationConfig": {"thinkingConfig": {"thinkingLevel": "LOW"}}},
            "Thinking level is not supported",
        ),
        (V38, "v1alpha", {"generationConfig": {"enableAffectiveDialog": True}}, "Unknown name"),
        (V25, "v1beta", {"generationConfig": {"enableAffectiveDialog": True}}, "Unknown name"),
        (THINKING, "v1beta", {}, "Thinking level must be specified"),
        (V38, "v1beta", {"generationConfig": {"responseModalities": ["TEXT"]}}, "Cannot extract"),
        (
            V38,
            "v1beta",
            {"generationConfig": {"responseModalities": ["TEXT", "AUDIO"]}},
            "invalid argument",
        ),
    ],
)
def test_a_setup_that_is_refused(
    model: str, version: str, setup: dict[str, Any], text: str
) -> None:
    with pytest.raises(Fault) as caught:
        check(model, version, **setup)
    assert caught.value.code == 1007
    assert text in caught.value.reason


@pytest.mark.parametrize(
    ("model", "version", "setup"),
    [
        (V38, "v1beta", {"generationConfig": {"thinkingConfig": {"thinkingBudget": 0}}}),
        (V38, "v1alpha", {"proactivity": {"proactiveAudio": True}}),
        (V25, "v1alpha", {"generationConfig": {"enableAffectiveDialog": True}}),
        (THINKING, "v1", {"generationConfig": {"thinkingConfig": {"thinkingLevel": "LOW"}}}),
    ],
)
def test_a_setup_that_is_taken(model: str, version: str, setup: dict[str, Any]) -> None:
    check(model, version, **setup)


@pytest.mark.parametrize("model", ["models/gemini-9", "gemini-3.8-live", ""])
def test_an_unknown_model_is_not_found(model: str) -> None:
    with pytest.raises(Fault) as caught:
        find_rules({"model": model}, "v1beta", MODELS)
    assert caught.value.code == 1008
    assert f"{model} is not found for API version v1beta" in caught.value.reason


def test_a_model_of_vertex_goes_by_its_last_part() -> None:
    name = "projects/p/locations/l/publishers/google/models/gemini-live-2.5-flash-native-audio"
    assert not find_rules({"model": name}, "v1beta1", MODELS).voice_activity
