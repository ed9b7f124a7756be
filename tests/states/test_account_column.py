"""Several accounts in the same tables: `account_column` keeps their rows apart, and takes none away."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tap_crm.shaping.account_column import AccountColumn
from tests.singer import Tap, merged, only
from tests.states.conftest import CRMS
from tests.states.test_account import refusing

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.singer import Run
    from tests.states.conftest import Account, Settled

    Open = Callable[..., Account]
    Settle = Callable[..., Settled]
    Marking = Callable[[str], tuple[Account, Tap, dict[str, Any]]]

COLUMN: dict[str, Any] = {"account_column": "_account"}


_CATALOGS: dict[str, dict[str, Any]] = {}


@pytest.fixture
def marking(settled: Settle) -> Marking:
    """Return a function that gives an account, a tap that tells it in a column, and the catalog of that."""

    def marked(name: str) -> tuple[Account, Tap, dict[str, Any]]:
        account = settled(name).account
        tap = Tap(account.tap.folder, **account.tap.config, **COLUMN)
        tap.inside = True
        if name not in _CATALOGS:
            _CATALOGS[name] = tap.discover()[0]
        account.app.stats.reset()
        return account, tap, _CATALOGS[name]

    return marked


def reading_all(account: Account, folder: Path) -> Tap:
    """Return a tap that reads everything of an account, arrays as tables of their own, too."""
    tap = Tap(folder, **{**account.tap.config, "custom_fields": "columns"}, child_tables="*", **COLUMN)
    tap.inside = True
    return tap


def ids_of(run: Run) -> set[Any]:
    """Return the values of the column in all records of a run."""
    return {message["record"]["_account"] for message in run.messages if message["type"] == "RECORD"}


@pytest.mark.parametrize("name", CRMS)
def test_each_record_of_each_stream_has_its_account_in_the_key(open_account: Open, name: str, tmp_path: Path) -> None:
    """Tables of arrays and of the audit, too; ids of two accounts may be the same."""
    account, other = open_account(name), open_account(name, CRMS[name].another)
    first = reading_all(account, tmp_path).sync()
    child = next(stream for stream in first.schemas if stream.startswith(f"{account.stream}__"))
    tap = reading_all(other, tmp_path)
    second = tap.sync(catalog=only(tap.discover()[0], account.crm.account, account.stream, child, "sync_audit"))
    runs = [first, second]
    for run in runs:
        records = {message["stream"] for message in run.messages if message["type"] == "RECORD"}
        assert any("__" in stream for stream in records)
        assert "sync_audit" in records
        assert {message["key_properties"][0] for message in run.schemas.values()} == {"_account"}
        assert len(ids_of(run)) == 1
    assert ids_of(first) != ids_of(second)
    stream = CRMS[name].account
    (of_first,), (of_second,) = first.records(stream), second.records(stream)
    key = first.schemas[stream]["key_properties"][1]
    assert ids_of(first) == {str(of_first[key])}  # what the account itself is called, as text
    assert ids_of(second) == {str(of_second[key])}
    for stream in first.schemas.keys() & second.schemas.keys():
        assert len(merged(stream, *runs)) == len(merged(stream, first)) + len(merged(stream, second)), stream


@pytest.mark.parametrize("name", CRMS)
def test_the_target_is_told_of_no_version(marking: Marking, name: str) -> None:
    """ACTIVATE_VERSION is of a whole table: it would mark the rows of the other accounts."""
    account, tap, catalog = marking(name)
    chosen = only(catalog, account.stream, account.crm.whole, "sync_audit")
    run = tap.sync(catalog=chosen)
    again = tap.sync(catalog=chosen, state=run.state, reconcile="true")
    for one in (run, again):
        assert {message["type"] for message in one.messages} == {"SCHEMA", "RECORD", "STATE"}
        assert not any("version" in message for message in one.messages)
        assert "no ACTIVATE_VERSION is sent" in one.log
        # By this time, a statement finds the rows that are gone.
        assert one.audit()[account.crm.whole]["whole_since"] is not None


def test_every_way_of_writing_has_the_column(marking: Marking) -> None:
    """What goes straight from an answer into a line, what goes record by record, and what stream maps make."""
    _, tap, catalog = marking("copper")
    chosen = only(catalog, "people", "sync_audit")
    ways: tuple[dict[str, Any], ...] = (
        {},
        {"missing_properties": "null"},
        {"flattening_enabled": True, "flattening_max_depth": 2},
        {"stream_maps": {"people": {"twice": "name + name"}}},
    )
    found = [
        {(row["_account"], row["id"]) for row in tap.sync(catalog=chosen, **way).records("people")} for way in ways
    ]
    assert found[0]
    assert found == [found[0]] * len(ways)


def test_a_test_of_the_settings_has_it_too(marking: Marking) -> None:
    """`meltano config test` writes a record of each stream."""
    _, tap, _ = marking("copper")
    run = tap.call([*tap.command(), "--test"])
    assert run.code == 0
    assert len(ids_of(run)) == 1


@pytest.mark.parametrize("name", CRMS)
def test_an_account_that_does_not_say_who_it_is_is_not_written(marking: Marking, name: str) -> None:
    """Rows without an account would be nobody's."""
    account, tap, catalog = marking(name)
    end = refusing(account, 403)
    run = tap.sync(catalog=only(catalog, account.stream, "sync_audit"), expect=1, retry_seconds=1)
    end()
    assert run.messages == []
    assert "Traceback" not in run.log


def test_a_state_of_rows_with_another_key_is_refused(marking: Marking) -> None:
    """Each record would be there twice: once with an account, once without."""
    account, _, marked = marking("copper")
    tap, plain = account.tap, account.everything
    without = tap.sync(catalog=only(plain, "people")).state
    having = tap.sync(catalog=only(marked, "people"), **COLUMN).state
    account.app.stats.reset()
    for state, catalog, given in ((without, marked, COLUMN), (having, plain, {})):
        run = tap.sync(catalog=only(catalog, "people"), state=state, expect=1, **given)
        assert "the state is of rows that were loaded" in run.log
        assert run.messages == []
    assert account.app.stats.requests == 0
    assert tap.sync(catalog=only(marked, "people"), state=having, **COLUMN).messages


def test_a_catalog_that_was_made_without_the_column_is_refused(settled: Settle) -> None:
    """Its key is another one."""
    run = settled("copper").account.sync(expect=1, **COLUMN)
    assert "`key_properties` of stream `people` are not _account, id" in run.log
    assert run.messages == []


def test_a_name_that_a_field_has_already_is_refused(settled: Settle) -> None:
    """Before anything is asked."""
    account = settled("copper").account
    run = account.tap.sync(account_column="name", expect=1)
    assert "has a field `name` already" in run.log
    assert account.app.stats.requests == 0


def test_lines_get_the_column_first() -> None:
    """Also one without any field."""
    column = AccountColumn("_account", 'a"b')
    lines = column.added_to_lines([b'{"id":1}', b"{}"])
    assert lines == [b'{"_account":"a\\"b","id":1}', b'{"_account":"a\\"b"}']
