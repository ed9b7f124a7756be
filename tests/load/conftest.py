"""What tests of ``load-account`` share: a state file, and programs that play a tap and a target."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from tap_crm.load.command import command

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


def shell(text: str) -> tuple[str, str, str]:
    """Return the command of a program that is a line of a shell."""
    return ("sh", "-c", text)


#: Reads everything and confirms it.
CONFIRMS = shell("""cat >/dev/null; echo '{"bookmarks": {"people": {"at": 2}}}'""")
NOTHING = shell("true")


@dataclass
class Loads:
    """Runs ``load-account`` within this process.

    Attributes:
        place: the state's file.
    """

    place: Path

    def run(self, tap: Sequence[str], target: Sequence[str], *options: str) -> int:
        """Load the account `acme`; returns the exit code."""
        return self.run_words([*tap, "|", *target], *options)

    def run_words(self, words: Sequence[str], *options: str, account: str = "acme") -> int:
        """Load an account by a command."""
        given = [account, "--state", str(self.place), *options, "--", *words]
        code = command.main(given, standalone_mode=False)
        assert isinstance(code, int)
        return code

    def state(self, state_id: str = "acme") -> str | None:
        """Return the state that is kept."""
        if not self.place.exists():
            return None
        with closing(sqlite3.connect(self.place)) as connection:
            rows = connection.execute("SELECT state FROM load_account_state WHERE state_id = ?", [state_id]).fetchall()
        return rows[0][0] if rows else None


@pytest.fixture
def loads(tmp_path: Path) -> Loads:
    """Loads with a state file that is not there yet."""
    return Loads(tmp_path / "state.sqlite")
