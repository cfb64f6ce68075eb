"""What the commands share."""

import inspect

import pytest
import typer

from simulator.commands.call import call
from simulator.commands.gate import gate
from simulator.commands.gemini import gemini
from simulator.commands.options import AsJson, parsed_by
from simulator.commands.soak import soak


def test_a_parser_refuses_in_its_own_words() -> None:
    assert parsed_by(int)("7") == 7
    with pytest.raises(typer.BadParameter, match="invalid literal"):
        parsed_by(int)("x")


def test_every_command_has_the_same_json_option() -> None:
    for command in (call, gate, gemini, soak):
        assert inspect.signature(command).parameters["as_json"].annotation == AsJson
