"""The state table: the same in SQLite and PostgreSQL, for one run of an account at a time."""

from __future__ import annotations

from contextlib import ExitStack, closing
from typing import TYPE_CHECKING

import psycopg
import pytest

from tap_crm.config.kinds import POSTGRESQL
from tap_crm.errors import ConfigError
from tap_crm.load.state_table import Locked, StateLost, open_table
from tests.postgres import serving

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tap_crm.load.state_table import StateTable
    from tests.postgres import Server

STATE = '{"bookmarks": {"people": {"name": "caf\\u00e9 \\u0000 %s ?"}}}'


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """A PostgreSQL server."""
    with serving() as given:
        yield given


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty place for states."""
    if request.param == "sqlite":
        return str(tmp_path / "state.sqlite")
    server: Server = request.getfixturevalue("server")
    return server.create().replace("postgresql://", POSTGRESQL)


@pytest.fixture
def opened(place: str) -> Iterator[Callable[..., StateTable]]:
    """Opens the table for a run."""
    with ExitStack() as held:
        yield lambda run, account="acme": held.enter_context(closing(open_table(place, account, run)))


def test_a_state_lasts(opened: Callable[..., StateTable]) -> None:
    """Character by character."""
    first = opened("first")
    assert first.claim(0) is None
    first.write("{}")
    first.write(STATE)
    first.close()
    assert opened("second").claim(0) == STATE


def test_accounts_do_not_know_of_each_other(opened: Callable[..., StateTable]) -> None:
    """Nor do parts of one."""
    for account in ("acme", "acme/people", "emea"):
        one = opened("run", account)
        assert one.claim(0) is None
        one.write(f'{{"of": "{account}"}}')
    for account in ("acme", "acme/people", "emea"):
        with pytest.raises(Locked):
            opened("other", account).claim(0)


def test_a_second_run_waits_for_the_first(opened: Callable[..., StateTable]) -> None:
    """It begins with the state that the first one has left."""
    first, second = opened("first"), opened("second")
    first.claim(0)
    waits: list[float] = []

    def pause(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 3:
            first.write(STATE)
            first.close()

    assert second.claim(60, pause) == STATE
    assert len(waits) >= 3, "a server may give the lock back a moment after its owner has gone"


def test_a_run_that_was_taken_for_dead_writes_nothing_more(opened: Callable[..., StateTable]) -> None:
    """Its lock may be gone with its connection, while it still goes on."""
    first, second = opened("first"), opened("second")
    first.claim(0)
    first.write(STATE)
    second._ask(_CLAIM_BY_OTHER, "acme", "second")  # noqa: SLF001 - as a run does that got the lock meanwhile
    with pytest.raises(StateLost, match="another run has taken this account over"):
        first.write("{}")
    assert second._ask("SELECT state FROM load_account_state") == [(STATE,)]  # noqa: SLF001


_CLAIM_BY_OTHER = "UPDATE load_account_state SET run_id = 'second' WHERE state_id = ? AND run_id <> ?"


def test_a_server_that_ends_the_connection_is_said_in_one_line(server: Server) -> None:
    """The load ends then: what is loaded and not noted is read again."""
    address = server.create()
    table = open_table(address.replace("postgresql://", POSTGRESQL), "acme", "run")
    table.claim(0)
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name ~ '^load'")
    with closing(table), pytest.raises(StateLost, match="the state table cannot be used: "):
        table.write(STATE)


def test_a_place_that_cannot_be_used_is_said_without_its_password(tmp_path: Path) -> None:
    """Before anything is loaded."""
    with pytest.raises(StateLost, match=r"unable to open|No such file") as said:
        open_table(str(tmp_path / "none" / "state.sqlite"), "acme", "run")
    assert "\n" not in str(said.value)
    with pytest.raises(ConfigError, match="must be a file's path, or a URL"):
        open_table("mysql://host/x", "acme", "run")
    with pytest.raises(StateLost) as said:
        open_table(f"{POSTGRESQL}user:s3cret@127.0.0.1:9/x", "acme", "run")
    assert "s3cret" not in str(said.value)
