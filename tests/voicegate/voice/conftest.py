"""What the tests of the voices share."""

from collections.abc import AsyncIterator

import pytest

from simulator.gemini.server import FakeGemini


@pytest.fixture
async def fake_gemini(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[FakeGemini]:
    """The fake service, with the environment that sends the SDK to it."""
    async with FakeGemini() as service:
        for name, value in service.environment.items():
            monkeypatch.setenv(name, value)
        yield service


@pytest.fixture
def fake(fake_gemini: FakeGemini) -> FakeGemini:
    """The same, for those who name it often."""
    return fake_gemini
