"""Writes that break before or after they are carried out, and people who edit meanwhile."""

# ruff: noqa: D103  (the name of a test is its sentence)
from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import pytest
import requests

from sandbox.behaviour import Meanwhile
from sandbox.faults import FaultRule

if TYPE_CHECKING:
    from sandbox.client import CoperaClient
    from sandbox.copera import CoperaSandbox
    from sandbox.copera.schema import BoardTable
    from sandbox.exchange import Effect
    from sandbox.faults import Kind


@pytest.fixture
def table(app: CoperaSandbox) -> BoardTable:
    app.behaviour.create_limit = 0
    return app.account.table_named("Deals")


@pytest.fixture
def path(table: BoardTable) -> str:
    return f"board/{table.board}/table/{table.id}/row"


def _cells(table: BoardTable, text: str) -> dict[str, Any]:
    column = table.first("TEXT")
    assert column
    return {"columns": [{"columnId": column.id, "value": text}]}


def _break(app: CoperaSandbox, kind: Kind, effect: Effect) -> None:
    app.behaviour.faults = [FaultRule([kind], at=[1], only="writes", effect=effect, seconds=0.1)]


@pytest.mark.parametrize("effect", ["none", "whole"])
@pytest.mark.parametrize("kind", ["409", "502", "429", "stall"])
def test_an_error_leaves_open_whether_the_row_was_made(
    client: CoperaClient, app: CoperaSandbox, table: BoardTable, kind: Kind, effect: Effect
) -> None:
    path, before = f"board/{table.board}/table/{table.id}/row", len(table.rows)
    _break(app, kind, effect)
    if kind == "stall":
        with pytest.raises(requests.ConnectionError):
            client.post(path, _cells(table, "x"))
    else:
        assert client.post(path, _cells(table, "x")).status_code == int(kind)
    assert len(table.rows) - before == (effect == "whole")


def test_a_write_may_be_answered_and_have_no_effect(
    client: CoperaClient, app: CoperaSandbox, table: BoardTable, path: str
) -> None:
    number = next(iter(table.rows))
    before = app.account.records("rows"), app.account.records("comments"), app.account.records("row_descriptions")
    app.behaviour.faults = [FaultRule(["intact"], every=1, only="writes", effect="none")]
    statuses = [
        client.post(path, _cells(table, "x")).status_code,
        client.patch(f"{path}/{number}", _cells(table, "x")).status_code,
        client.post(f"{path}/{number}/md", {"operation": "append", "content": "x"}).status_code,
        client.post(f"{path}/{number}/comment", {"content": "x"}).status_code,
        client.delete(f"{path}/{number}").status_code,
    ]
    assert statuses == [200, 200, 202, 200, 204]
    assert before == (
        app.account.records("rows"),
        app.account.records("comments"),
        app.account.records("row_descriptions"),
    )


@pytest.mark.parametrize("when", ["before", "after"])
def test_somebody_edits_the_row_right_before_or_right_after_it_is_written(
    client: CoperaClient, app: CoperaSandbox, table: BoardTable, path: str, when: Literal["before", "after"]
) -> None:
    number = next(iter(table.rows))
    column = _cells(table, "theirs")["columns"][0]["columnId"]
    app.behaviour.meanwhile = Meanwhile(every=1, when=when, changes={column: "theirs"})
    client.patch(f"{path}/{number}", _cells(table, "ours"))
    assert table.rows[number].display == ("ours" if when == "before" else "theirs")
    app.behaviour.meanwhile = Meanwhile(every=1, when="before", delete=True)
    assert client.patch(f"{path}/{number}", _cells(table, "ours")).status_code == 404


def test_somebody_edits_the_row_that_was_just_made(
    client: CoperaClient, app: CoperaSandbox, table: BoardTable, path: str
) -> None:
    column = _cells(table, "theirs")["columns"][0]["columnId"]
    app.behaviour.meanwhile = Meanwhile(every=1, when="after", changes={column: "theirs"})
    made = client.post(path, _cells(table, "ours")).json()
    assert table.rows[made["_id"]].display == "theirs"


def test_reads_are_no_writes(client: CoperaClient, app: CoperaSandbox, table: BoardTable) -> None:
    place = f"board/{table.board}/table/{table.id}"
    client.get(f"{place}/rows")
    client.post(f"{place}/export", {"boardId": table.board, "viewId": "f" * 24})
    assert app.stats.writes == {}
