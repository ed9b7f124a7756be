"""What every command says of a command line that cannot be: one exit code, and a line that says why."""

from __future__ import annotations

import importlib
import sys
import tomllib
from pathlib import Path

import pytest

from tests import in_process

COMMANDS: dict[str, str] = tomllib.loads(Path("pyproject.toml").read_text("utf-8"))["project"]["scripts"]
#: A command line of each that lacks something, besides those that are wrong for all.
LACKING = {
    "tap-crm-call": [],
    "tap-crm-audit": [],
    "tap-crm-report": [],
    "tap-crm-inbox": ["subscribe"],
    "tap-crm-watch": ["--config", "ENV"],
    "target-crm-journal": ["drop"],
}
WRONG = [
    *((name, arguments) for name in COMMANDS for arguments in (["--bogus"], ["--config"])),
    *LACKING.items(),
    ("tap-crm-inbox", ["bogus"]),
    ("tap-crm-inbox", ["serve", "--port", "70000"]),
    ("tap-crm-watch", ["--every", "0", "true"]),
]


@pytest.mark.parametrize(("name", "arguments"), WRONG, ids=[" ".join([name, *words]) for name, words in WRONG])
def test_a_wrong_usage_ends_with_2_and_says_what_is_wrong(
    name: str, arguments: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As click does, which ends `tap-crm` and `target-crm`; nothing is written to standard output."""
    module, _, function = COMMANDS[name].partition(":")
    main = getattr(importlib.import_module(module), function)
    monkeypatch.setattr(sys, "argv", [name, *arguments])
    with in_process.logs(), in_process.signal_handlers(), pytest.raises(SystemExit) as end:
        main()
    said = capsys.readouterr()
    assert end.value.code == 2, said.err
    assert said.out == ""
    assert said.err.splitlines()[-1].startswith("Error: ")
    assert "Traceback" not in said.err
