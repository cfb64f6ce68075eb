"""The gateway's own tools."""

from voicegate.tools.built_in import BUILT_IN, HANG_UP


def test_each_goes_by_its_name_and_says_when_to_call_it() -> None:
    assert BUILT_IN["hang_up"] is HANG_UP
    for name, one in BUILT_IN.items():
        assert one.tool.name == name
        assert one.tool.description
