"""A Python function becomes a tool: its annotations are the schema, its docstring the words."""

import sys
from types import ModuleType
from typing import Annotated, Literal

import pytest
from pydantic import Field

from voicegate.plan import CallFacts
from voicegate.tools.functions import function_tool
from voicegate.tools.tool import OnCall, ToolFailed
from voicegate.user_code import UserCodeRefused


async def book(
    name: str,
    day: Annotated[Literal["mon", "tue"], Field(description="Which day.")],
    seats: int = 2,
) -> dict[str, object]:
    """Books a table."""
    return {"booked": f"{name} {day} {seats}"}


def who(call: CallFacts) -> str:
    """Says who calls."""
    return call.caller


def silent(name: str) -> None:
    pass


def loose(name) -> None:  # type: ignore[no-untyped-def]
    """Is not annotated."""


def many(*names: str) -> None:
    """Takes any number."""


def odd(name: ModuleType) -> None:
    """Takes what no model can give."""


def unnamed(name: "NoSuchType") -> None:  # type: ignore[name-defined]  # noqa: F821
    """Takes nobody knows what."""


@pytest.fixture(autouse=True)
def _here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "users_tools", sys.modules[__name__])


async def test_the_model_is_told_what_the_function_takes(on_call: OnCall) -> None:
    one = function_tool("users_tools:book", 5.0)
    assert (one.tool.name, one.tool.description, one.timeout_s) == ("book", "Books a table.", 5.0)
    assert one.tool.parameters["required"] == ["name", "day"]
    properties = one.tool.parameters["properties"]
    assert isinstance(properties, dict)
    assert properties["day"]["enum"] == ["mon", "tue"]
    assert properties["day"]["description"] == "Which day."
    assert properties["seats"]["default"] == 2


async def test_it_is_run_with_what_the_model_says(on_call: OnCall) -> None:
    one = function_tool("users_tools:book", 5.0)
    result = await one.run({"name": "Ann", "day": "mon", "seats": "3", "more": 1}, on_call)
    assert result == {"booked": "Ann mon 3"}


@pytest.mark.parametrize(
    ("arguments", "says"),
    [({"name": "Ann"}, "day: Field required"), ({"name": 1, "day": "sun"}, "day: Input should be")],
)
async def test_the_model_is_told_what_is_wrong(
    on_call: OnCall, arguments: dict[str, object], says: str
) -> None:
    with pytest.raises(ToolFailed, match=says):
        await function_tool("users_tools:book", 5.0).run(arguments, on_call)


async def test_the_facts_of_the_call_are_not_the_models_to_give(on_call: OnCall) -> None:
    one = function_tool("users_tools:who", 5.0)
    assert one.tool.parameters == {}
    assert await one.run({"call": "someone else"}, on_call) == "+3591"


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("silent", "has no docstring"),
        ("loose", "annotate 'name', such as name: str"),
        ("many", "cannot be given by name"),
        ("odd", "odd"),
        ("unnamed", "an annotation cannot be read: name 'NoSuchType' is not defined"),
        ("no_such", "has no function"),
    ],
)
def test_a_function_that_cannot_be_a_tool_is_refused(name: str, says: str) -> None:
    with pytest.raises(UserCodeRefused, match=says):
        function_tool(f"users_tools:{name}", 5.0)
