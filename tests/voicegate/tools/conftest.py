"""A call to run tools in, without a call."""

from typing import Any, cast

import pytest

from voicegate.plan import facts_of
from voicegate.tools.tool import OnCall, Workshop


@pytest.fixture
def on_call() -> OnCall:
    """Nothing but facts."""
    facts = facts_of("id-1", "+3591", "100", "127.0.0.1", [("X-Customer", "42")])
    nothing = cast(Any, None)
    return OnCall(facts, nothing, nothing, nothing, Workshop(None, None), nothing)
