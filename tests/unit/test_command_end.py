"""How commands beside the tap and the target end: the code, and one line for what was foreseen."""

from __future__ import annotations

import click
import pytest

from tap_crm.contract.command import run_command
from tap_crm.contract.signals import Terminated
from tap_crm.errors import ConfigError

NO_FOLDER = FileNotFoundError(2, "No such file or directory", "reports/today.jsonl")


@pytest.mark.parametrize(
    ("cause", "code", "line"),
    [
        (None, 0, ""),
        (ConfigError("the setting `api_key` is missing"), 1, "x: the setting `api_key` is missing\n"),
        (NO_FOLDER, 1, "x: a file cannot be read or written: No such file or directory: reports/today.jsonl\n"),
        (click.FileError("x.json", "it is a folder"), 1, "Error: Could not open file 'x.json': it is a folder\n"),
        (
            click.UsageError("no such option"),
            2,
            "Usage: x [OPTIONS]\nTry 'x --help' for help.\n\nError: no such option\n",
        ),
        (KeyboardInterrupt(), 130, ""),
        (click.Abort(), 130, ""),
        (Terminated(143), 143, ""),
    ],
    ids=["done", "setting", "file", "click's file", "usage", "interrupt", "abort", "signal"],
)
def test_a_command_ends_with_a_code_and_at_most_one_line(
    cause: BaseException | None, code: int, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """No cause that was foreseen shows a traceback."""

    @click.command()
    def command() -> None:
        if cause is not None:
            raise cause

    with pytest.raises(SystemExit) as end:
        run_command(command, [], "x")
    assert (end.value.code, capsys.readouterr().err.lstrip("\n")) == (code, line)


def test_a_command_may_return_its_code() -> None:
    """Such as 1 where something differs."""
    with pytest.raises(SystemExit) as end:
        run_command(click.command()(lambda: 1), [], "x")
    assert end.value.code == 1


def test_an_unforeseen_cause_keeps_its_traceback() -> None:
    """It is a fault of ours."""

    def fail() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run_command(click.command()(fail), [], "x")
