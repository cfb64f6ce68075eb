"""What the commands say: to people, or as JSON; and the exit codes of the contract."""

import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NoReturn

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

EXIT_PASSED = 0
EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_NOT_CONNECTED = 3

STEPS = 10
"""Plain progress lines of a whole run."""


class Screen:
    """Where a command writes. With `as_json` stdout holds JSON alone, and people read stderr."""

    def __init__(self, *, as_json: bool) -> None:
        self.as_json = as_json
        self._console = Console(
            file=sys.stderr if as_json else sys.stdout, highlight=False, markup=False, emoji=False
        )

    def line(self, text: str, style: str = "") -> None:
        """Say one line to people."""
        with _pipe_may_close():
            self._console.print(printable(text), style=style or None, soft_wrap=True)

    def facts(self, title: str, rows: Mapping[str, object]) -> None:
        """Show a table of two columns; a missing measurement is a dash, never a zero."""
        table = Table(title=title, show_header=False, title_justify="left", min_width=40)
        for name, value in rows.items():
            table.add_row(name, "-" if value is None else printable(str(value)))
        with _pipe_may_close():
            self._console.print(table)

    def json(self, value: Mapping[str, Any]) -> None:
        """Write one JSON object as one line to stdout, at once."""
        with _pipe_may_close():
            sys.stdout.write(json.dumps(value, ensure_ascii=False, allow_nan=False) + "\n")
            sys.stdout.flush()

    @contextmanager
    def progress(self, what: str, total: int) -> Iterator[Callable[[str], None]]:
        """Show how far a run is: a bar on a terminal, else a line at each tenth of it.

        Gives what is to be called after each step, with a word on how it goes.
        """
        if not self._console.is_terminal:
            yield self._plain_steps(what, total)
            return
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
        # Without auto_refresh there is no thread behind it.
        bar = Progress(
            *columns,
            TimeElapsedColumn(),
            TextColumn("{task.fields[note]}"),
            console=self._console,
            auto_refresh=False,
        )
        with bar:
            task = bar.add_task(what, total=total, note="")

            def step(note: str) -> None:
                bar.update(task, advance=1, note=printable(note), refresh=True)

            yield step

    def _plain_steps(self, what: str, total: int) -> Callable[[str], None]:
        done = 0

        def step(note: str) -> None:
            nonlocal done
            done += 1
            if done * STEPS // total > (done - 1) * STEPS // total:
                self.line(f"{what} {done}/{total} {note}".rstrip())

        return step


def printable(text: str) -> str:
    """Show control characters instead of obeying them: some texts come from the other side."""
    return "".join(one if one.isprintable() or one == "\n" else repr(one)[1:-1] for one in text)


def refuse(text: str) -> NoReturn:
    """End with the exit code for a wrong use, and the words on stderr."""
    typer.echo(text, err=True)
    raise typer.Exit(EXIT_USAGE)


@contextmanager
def _pipe_may_close() -> Iterator[None]:
    """Go on without a reader (`gatesim .. | head -1`): what follows goes nowhere."""
    try:
        yield
    except BrokenPipeError:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
