"""What is printed where."""

import json

import pytest
import typer

from simulator.commands.terminal import Screen, printable, refuse


def test_with_json_stdout_holds_nothing_else(capsys: pytest.CaptureFixture[str]) -> None:
    screen = Screen(as_json=True)
    screen.line("for people")
    screen.facts("a title", {"a": 1})
    with screen.progress("calls", 2) as step:
        step("well")
        step("well")
    screen.json({"a": "é", "b": None})

    out, err = capsys.readouterr()
    assert json.loads(out) == {"a": "é", "b": None}
    assert "for people" in err
    assert "calls 2/2 well" in err


def test_without_json_all_goes_to_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    screen = Screen(as_json=False)
    screen.line("[red]as it stands[/]", style="red")
    screen.facts("figures", {"missing": None, "there": 0})

    out, err = capsys.readouterr()
    assert (out.splitlines()[0], err) == ("[red]as it stands[/]", "")
    assert [line.split()[3] for line in out.splitlines() if "│" in line] == ["-", "0"]


def test_plain_progress_is_a_line_at_each_tenth(capsys: pytest.CaptureFixture[str]) -> None:
    with Screen(as_json=False).progress("calls", 1000) as step:
        for _ in range(1000):
            step("")
    lines = capsys.readouterr().out.splitlines()
    assert lines == [f"calls {n}/1000" for n in range(100, 1001, 100)]


def test_a_number_that_is_none_of_json_is_refused() -> None:
    with pytest.raises(ValueError, match="JSON"):
        Screen(as_json=True).json({"a": float("nan")})


def test_control_characters_of_the_other_side_are_shown_not_obeyed() -> None:
    assert printable("a\x1b[31mb\r\u202ec\né") == "a\\x1b[31mb\\r\\u202ec\né"


def test_a_refusal_is_a_wrong_use(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit) as left:
        refuse("not so")
    assert (left.value.exit_code, capsys.readouterr().err) == (2, "not so\n")
