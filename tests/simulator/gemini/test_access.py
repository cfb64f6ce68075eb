"""Which paths exist and what counts as a credential."""

import pytest
from websockets.exceptions import InvalidStatus

from tests.simulator.gemini.bench import PATH, Bench, play, setup


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("/nowhere?key=k", {}, 404),
        (
            "/ws/google.ai.generativelanguage.v2.GenerativeService.BidiGenerateContent?key=k",
            {},
            404,
        ),
        (PATH, {}, 403),
        (PATH + "?key=", {}, 403),
        (PATH + "?key=fake-http429", {}, 429),
        (PATH, {"x-goog-api-key": "fake-http401"}, 401),
    ],
)
def test_the_door_refuses(path: str, headers: dict[str, str], status: int) -> None:
    async def scenario(bench: Bench) -> None:
        with pytest.raises(InvalidStatus) as caught:
            async with bench.raw(path, headers):
                pass
        assert caught.value.response.status_code == status

    fake = play(scenario)
    assert len(fake.violations) == (status in (403, 404))
    assert not fake.sessions


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/" + PATH + "?key=k", {}),
        (PATH + "?access_token=t", {}),
        (PATH + "Constrained", {"Authorization": "Token auth_tokens/x"}),
        (PATH.replace("v1beta", "v1alpha"), {"X-Goog-Api-Key": "k"}),
        (
            "/ws/google.cloud.aiplatform.v1beta1.LlmBidiService/BidiGenerateContent",
            {"Authorization": "Bearer t"},
        ),
    ],
)
def test_the_door_opens(path: str, headers: dict[str, str]) -> None:
    async def scenario(bench: Bench) -> None:
        async with bench.raw(path, headers) as ws:
            await ws.send(setup())
            first = await ws.recv()
            assert first == b'{"setupComplete":{}}'

    play(scenario).check()
