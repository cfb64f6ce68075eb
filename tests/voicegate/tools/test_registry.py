"""All tools are loaded and checked before the first call."""

import sys
import threading

import pytest

from voicegate.settings import ToolsSettings
from voicegate.tools.registry import NAME, THREADS, load_tools, open_workshop
from voicegate.user_code import UserCodeRefused

WEBHOOK = {"name": "lookup", "description": "Looks up.", "url": "http://127.0.0.1:9/"}


def lookup() -> str:
    """Looks up."""
    return "found"


@pytest.fixture(autouse=True)
def _here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "users_tools", sys.modules[__name__])


def loaded(**settings: object) -> list[str]:
    return list(load_tools(ToolsSettings.model_validate(settings)))


def test_all_kinds_go_by_their_names() -> None:
    assert loaded(functions=["users_tools:lookup"]) == ["hang_up", "lookup"]
    assert loaded(webhook=[WEBHOOK], built_in=[]) == ["lookup"]


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        (
            {"built_in": ["fly"]},
            "tools.built_in: there is no 'fly'; there are hang_up, send",
        ),
        ({"functions": ["lookup"]}, "tools.functions: 'lookup' is no package.module:function"),
        ({"python_path": ["no such"]}, "tools.python_path: 'no such' is no folder"),
        ({"non_blocking": ["hang_up"]}, "tools.non_blocking: 'hang_up' is no tool of yours: none"),
        (
            {"non_blocking": ["fly"], "webhook": [WEBHOOK]},
            "tools.non_blocking: 'fly' is no tool of yours: lookup",
        ),
        (
            {"functions": ["users_tools:lookup"], "webhook": [WEBHOOK]},
            "tools.webhook: there is a tool 'lookup' already; rename one",
        ),
    ],
)
def test_what_cannot_be_used_is_refused_by_its_setting(
    settings: dict[str, object], says: str
) -> None:
    with pytest.raises(UserCodeRefused, match=says):
        loaded(**settings)


def test_a_tool_is_waited_for_unless_the_settings_say_otherwise() -> None:
    settings = ToolsSettings.model_validate({"webhook": [WEBHOOK], "non_blocking": ["lookup"]})
    assert [one.tool.waits for one in load_tools(settings).values()] == [True, False]


async def test_only_what_is_needed_is_opened() -> None:
    before = threading.active_count()
    async with open_workshop(threads=False, http=False) as bare:
        assert (bare.threads, bare.http) == (None, None)
        assert threading.active_count() == before
    async with open_workshop(threads=True, http=True) as full:
        assert full.http is not None
        names = [thread.name for thread in threading.enumerate()]
        assert sum(name.startswith(NAME) for name in names) == THREADS
    assert full.http.closed
