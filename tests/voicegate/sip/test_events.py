"""Events are values that name their dialog."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, fields
from typing import get_args

import pytest

from voicegate.sip.events import CallHungUp, DialogId, Event


@pytest.mark.parametrize("kind", get_args(Event))
def test_every_event_names_its_dialog_first(kind: type) -> None:
    assert fields(kind)[0].name == "dialog"


def test_events_are_frozen() -> None:
    event = CallHungUp(DialogId("c", "l", "r"))
    with pytest.raises(FrozenInstanceError):
        event.dialog = DialogId("x", "y", "z")  # type: ignore[misc]
