"""The gateway's own tools; the call around a transfer is in scenarios/test_transfer.py."""

from dataclasses import replace

import pytest

from voicegate.settings import ToolsSettings
from voicegate.tools.built_in import BUILT_IN, HANG_UP, built_in_tools, transfer_call
from voicegate.tools.tool import OnCall, ToolFailed
from voicegate.transfer import Transferred


def test_each_goes_by_its_name_and_says_when_to_call_it() -> None:
    assert BUILT_IN["hang_up"] is HANG_UP
    for name, one in built_in_tools(ToolsSettings()).items():
        assert one.tool.name == name
        assert one.tool.description


@pytest.fixture
def asked() -> list[str]:
    """The numbers that a transfer was asked for."""
    return []


@pytest.fixture
def on_line(on_call: OnCall, asked: list[str]) -> OnCall:
    """A call whose gate connects to 300 and finds everyone else busy."""

    async def transfer(number: str) -> Transferred:
        asked.append(number)
        ok = number == "300"
        return Transferred(ok, 200 if ok else 486, "done" if ok else "the line is busy")

    return replace(on_call, transfer=transfer)


TRANSFER = transfer_call({"sales": "300", "support": "301"})


async def test_the_model_names_whom_and_never_a_number(on_line: OnCall, asked: list[str]) -> None:
    assert TRANSFER.tool.parameters["properties"] == {
        "to": {"type": "string", "enum": ["sales", "support"]}
    }
    assert "connected" in str(await TRANSFER.run({"to": "sales"}, on_line))
    for other in ("300", "", None, ["sales"]):
        with pytest.raises(ToolFailed, match="to must be one of sales, support"):
            await TRANSFER.run({"to": other}, on_line)
    assert asked == ["300"]


async def test_the_model_is_told_that_the_caller_is_still_there(on_line: OnCall) -> None:
    with pytest.raises(ToolFailed, match="the line is busy; the caller is still here"):
        await TRANSFER.run({"to": "support"}, on_line)
