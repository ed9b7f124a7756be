"""Rows that are gone leave the target by the next run, which reads everything; too many of them are not believed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.copera.conftest import choosing
from tests.target import Target

if TYPE_CHECKING:
    from tests.copera.conftest import KnownOf, Start

#: Of 140 rows, more than a hundred can go: fewer are never too many.
SHAPE = {"boards": 1, "tables": 4, "rows": {"Leads": 140}, "stray_cells": 0.0}
STREAM = "sales__leads"


@pytest.mark.parametrize("knobs", [{"hidden_share": 0.9}, {"visible_rows": "own"}], ids=str)
def test_a_table_whose_rows_are_hidden_keeps_them_and_fails_by_name(
    start: Start, known: KnownOf, knobs: dict[str, object]
) -> None:
    """In this run and the next; the other streams are complete. When they show again, it goes on."""
    app, tap = start(SHAPE)
    tap = tap.given(choosing(known(SHAPE), STREAM, "members"))
    first = tap.sync()
    for name, value in knobs.items():
        setattr(app.behaviour, name, value)
    target, state = Target(), first.state
    target.take(first)
    for _ in range(2):
        run = tap.sync(state=state, expect=1)
        state = run.state
        target.take(run)
        assert target.marked(STREAM) == set()
        assert run.count(STREAM) == 0
        assert "max_deletions_percent" in run.audit()[STREAM]["error"]
        assert f"streams are not complete: {STREAM}" in run.log
        assert run.audit()["members"]["complete"]
    app.behaviour.hidden_share, app.behaviour.visible_rows = 0.0, "all"
    gone = app.account.delete("Leads", count=3)
    last = tap.sync(state=state)
    target.take(last)
    assert target.marked(STREAM) == {(key,) for key in gone}
    assert last.audit()[STREAM]["deletions"] == 3


def test_a_raised_limit_lets_the_rows_go(start: Start, known: KnownOf) -> None:
    """It is the user who says that they are gone."""
    app, tap = start(SHAPE)
    tap = tap.given(choosing(known(SHAPE), STREAM))
    first = tap.sync()
    gone = app.account.delete("Leads", count=105)
    assert len(gone) >= 100
    target = Target()
    target.take(first, second := tap.sync(state=first.state, expect=1))
    assert target.marked(STREAM) == set()
    target.take(tap.sync(state=second.state, max_deletions_percent=90))
    assert target.marked(STREAM) == {(key,) for key in gone}


def test_a_long_list_that_is_hidden_keeps_its_rows(start: Start, known: KnownOf) -> None:
    """As a table does."""
    app, tap = start({**SHAPE, "rows": 0, "channels": 160})
    catalog = choosing(known(SHAPE), "channels", "members")
    first = tap.sync(catalog=catalog)
    app.account.change("delete", {"object": "channels", "count": 120})
    second = tap.sync(catalog=catalog, state=first.state, expect=1)
    target = Target()
    target.take(first, second)
    assert target.marked("channels") == set()
    assert "at least 120 of 160" in second.audit()["channels"]["error"]
    assert second.audit()["members"]["complete"]


def test_fewer_than_a_hundred_rows_never_stop_a_list(start: Start, known: KnownOf) -> None:
    """In short lists, a few rows are many percent."""
    app, tap = start({**SHAPE, "rows": 0, "channels": 110})
    catalog = choosing(known(SHAPE), "channels")
    first = tap.sync(catalog=catalog)
    app.account.change("delete", {"object": "channels", "count": 99})
    target = Target()
    target.take(first, tap.sync(catalog=catalog, state=first.state))
    assert len(target.marked("channels")) == 99
