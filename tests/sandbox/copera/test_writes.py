"""What Copera's server does with writes of rows, texts and comments, and what it turns down."""

# ruff: noqa: D103  (the name of a test is its sentence)
from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import pytest

from sandbox.copera import API_KEY
from sandbox.copera.behaviour import Automation
from sandbox.copera.tokens import AI_USER, BOT

if TYPE_CHECKING:
    from sandbox.client import CoperaClient
    from sandbox.copera import CoperaSandbox
    from sandbox.copera.schema import BoardTable, Column

_NOBODY = "f" * 24


@pytest.fixture(autouse=True)
def _unlimited(app: CoperaSandbox) -> None:
    app.behaviour.create_limit = 0


@pytest.fixture
def table(app: CoperaSandbox) -> BoardTable:
    return app.account.table_named("Deals")


@pytest.fixture
def path(table: BoardTable) -> str:
    return f"board/{table.board}/table/{table.id}"


def _cells(**values: object) -> list[dict[str, Any]]:
    return [{"columnId": column, "value": value} for column, value in values.items()]


def _value(row: dict[str, Any], column: str) -> Any:  # noqa: ANN401
    return next((one.get("value") for one in row["columns"] if one["columnId"] == column), None)


def _column(app: CoperaSandbox, kind: str) -> tuple[BoardTable, Column]:
    return next((one, found) for one in app.account.tables.values() if (found := one.first(kind)) and one.rows)


def _text(table: BoardTable) -> str:
    column = table.first("TEXT")
    assert column
    return column.id


def _made(client: CoperaClient, path: str, **values: object) -> dict[str, Any]:
    answer = client.post(f"{path}/row", {"columns": _cells(**values)})
    assert answer.status_code == 200, answer.text
    row: dict[str, Any] = answer.json()
    return row


def test_a_row_is_made_changed_read_and_deleted(
    client: CoperaClient, app: CoperaSandbox, table: BoardTable, path: str
) -> None:
    name, before = _text(table), len(table.rows)
    row = _made(client, path, **{name: "New deal"})
    assert client.json(f"{path}/row/{row['_id']}") == row
    assert client.json(f"{path}/row-number/{row['rowId']}") == row
    assert (row["table"], row["owner"]) == (table.id, next(iter(app.account.lists["members"])))
    app.behaviour.clock_skew = 1
    changed = client.patch(f"{path}/row/{row['_id']}", {"columns": _cells(**{name: "Old deal"})}).json()
    assert _value(changed, name) == "Old deal"
    assert changed["updatedAt"] > row["updatedAt"]
    assert client.json(f"{path}/row/{row['_id']}") == changed
    gone = client.delete(f"{path}/row/{row['_id']}")
    assert (gone.status_code, gone.content) == (204, b"")
    assert len(table.rows) == before
    for answer in (
        client.patch(f"{path}/row/{row['_id']}", {"columns": []}),
        client.delete(f"{path}/row/{row['_id']}"),
    ):
        assert answer.status_code == 404
    assert sorted(app.stats.writes.items()) == [
        ("DELETE board/{id}/table/{id}/row/{id}", 2),
        ("PATCH board/{id}/table/{id}/row/{id}", 2),
        ("POST board/{id}/table/{id}/row", 1),
    ]


@pytest.mark.parametrize(
    ("kind", "value", "kept"),
    [
        ("TEXT", "Ünï", "Ünï"),
        ("EMAIL", "a@x.example", "a@x.example"),
        ("PHONE", "+41 44 000 00 00", "+41 44 000 00 00"),
        ("NUMBER", -3.5, -3.5),
        ("MONEY", 0.1, 0.1),
        ("DURATION", 90, 90),
        ("CHECKBOX", True, True),
        ("DATE", "2026-02-28", "2026-02-28"),
        ("DATE", "2026-02-28T10:00:00+02:00", "2026-02-28T08:00:00.000Z"),
        ("PASSWORD", "secret", "********"),
        ("LOCATION", {"lat": 1, "lng": 2}, {"lat": 1, "lng": 2}),
    ],
)
def test_a_plain_value_is_kept_as_its_type_has_it(
    client: CoperaClient, app: CoperaSandbox, kind: str, value: object, kept: object
) -> None:
    table, column = _column(app, kind)
    row = _made(client, f"board/{table.board}/table/{table.id}", **{column.id: value})
    assert _value(row, column.id) == kept
    assert _value(app.account.record(table.rows[row["_id"]]), column.id) == kept


@pytest.mark.parametrize("kind", ["STATUS", "DROPDOWN", "LABELS", "USERS"])
def test_chosen_values_are_ids_one_or_an_array(client: CoperaClient, app: CoperaSandbox, kind: str) -> None:
    table, column = _column(app, kind)
    path = f"board/{table.board}/table/{table.id}"
    ids = list(app.account.lists["members"]) if kind == "USERS" else column.option_ids()
    value: Any = [ids[1], ids[0], ids[1]] if kind in ("LABELS", "USERS") else ids[1]
    kept = [ids[1], ids[0]] if kind in ("LABELS", "USERS") else ids[1]
    row = _made(client, path, **{column.id: value})
    assert _value(row, column.id) == kept
    label = next((one.get("label") for one in column.options), "Admin")
    for wrong in (label, _NOBODY, [_NOBODY], 5, ids[1] if isinstance(kept, list) else [ids[1]]):
        changed = client.patch(f"{path}/row/{row['_id']}", {"columns": _cells(**{column.id: wrong})})
        assert (changed.status_code, _value(changed.json(), column.id)) == (200, kept), wrong


def test_a_link_shows_at_both_ends_and_an_empty_array_clears_it(client: CoperaClient, app: CoperaSandbox) -> None:
    table, column = next(
        (one, c) for one in app.account.tables.values() for c in one.columns if c.type == "LINK" and c.mirror and c.own
    )
    other = app.account.tables[column.target]
    path, far = f"board/{table.board}/table/{table.id}", next(iter(other.rows))
    row = _made(client, path, **{column.id: [far]})
    cell = next(one for one in row["columns"] if one["columnId"] == column.id)
    assert (cell["value"], cell["linkValue"]) == ([far], [other.rows[far].display])
    back = f"board/{other.board}/table/{other.id}/row/{far}"
    assert row["_id"] in _value(client.json(back), column.mirror)
    kept = client.patch(f"{path}/row/{row['_id']}", {"columns": _cells(**{column.id: [far, _NOBODY]})}).json()
    assert _value(kept, column.id) == [far]
    cleared = client.patch(f"{path}/row/{row['_id']}", {"columns": _cells(**{column.id: []})}).json()
    assert not _value(cleared, column.id)
    assert row["_id"] not in (_value(client.json(back), column.mirror) or [])


@pytest.mark.parametrize("knob", ["ignored", "refused"])
def test_a_value_that_does_not_fit_is_ignored_with_a_200_or_refused(
    client: CoperaClient, app: CoperaSandbox, table: BoardTable, path: str, knob: Literal["ignored", "refused"]
) -> None:
    app.behaviour.rejected_values = knob
    name = _text(table)
    row = _made(client, path, **{name: "x"})
    for column, wrong in ((name, 5), (_NOBODY, "x")):
        answer = client.patch(f"{path}/row/{row['_id']}", {"columns": _cells(**{column: wrong})})
        assert answer.status_code == (200 if knob == "ignored" else 400)
        assert _value(client.json(f"{path}/row/{row['_id']}"), name) == "x"


@pytest.mark.parametrize("knob", ["ignored", "refused"])
@pytest.mark.parametrize(
    "kind", ["FORMULA", "ROLLUP", "LOOKUP", "AUTONUMBER", "CREATED_AT", "LAST_MODIFIED_BY", "FILE"]
)
def test_a_cell_that_only_the_crm_sets_is_ignored_or_refused(
    client: CoperaClient, app: CoperaSandbox, kind: str, knob: Literal["ignored", "refused"]
) -> None:
    app.behaviour.read_only_cells = knob
    table, column = _column(app, kind)
    path = f"board/{table.board}/table/{table.id}/row/{next(iter(table.rows))}"
    before = _value(client.json(path), column.id)
    answer = client.patch(path, {"columns": _cells(**{column.id: "x"})})
    assert answer.status_code == (200 if knob == "ignored" else 400)
    assert _value(client.json(path), column.id) == before or kind == "LAST_MODIFIED_BY"


@pytest.mark.parametrize("knob", ["both", "null", "empty"])
def test_null_or_an_empty_text_or_both_clear(
    client: CoperaClient, app: CoperaSandbox, knob: Literal["both", "null", "empty"]
) -> None:
    app.behaviour.clearing = knob
    table, column = _column(app, "NUMBER")
    path = f"board/{table.board}/table/{table.id}"
    for empty, name in ((None, "null"), ("", "empty")):
        row = _made(client, path, **{column.id: 5})
        changed = client.patch(f"{path}/row/{row['_id']}", {"columns": _cells(**{column.id: empty})}).json()
        assert (_value(changed, column.id) is None) is (knob in ("both", name))


@pytest.mark.parametrize("knob", ["kept", "cleared"])
def test_cells_that_are_not_named_are_kept_or_cleared(
    client: CoperaClient, app: CoperaSandbox, knob: Literal["kept", "cleared"]
) -> None:
    app.behaviour.unlisted_cells = knob
    table, column = _column(app, "NUMBER")
    path = f"board/{table.board}/table/{table.id}"
    row = _made(client, path, **{column.id: 5})
    changed = client.patch(f"{path}/row/{row['_id']}", {"columns": _cells(**{_text(table): "x"})}).json()
    assert _value(changed, column.id) == (5 if knob == "kept" else None)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"columns": {}},
        {"columns": ["x"]},
        {"columns": [{"columnId": "x", "value": 1}]},
        {"columns": [{"columnId": _NOBODY}]},
        {"columns": [{"columnId": _NOBODY, "value": 1, "linkValue": []}]},
        {"columns": [{"columnId": _NOBODY, "value": 1}, {"columnId": _NOBODY, "value": 1}]},
        {"columns": [], "name": "x"},
    ],
)
def test_a_body_of_another_form_is_refused(client: CoperaClient, path: str, table: BoardTable, body: Any) -> None:  # noqa: ANN401
    assert client.post(f"{path}/row", body).status_code == 400
    assert client.patch(f"{path}/row/{next(iter(table.rows))}", body).status_code == 400


def test_what_is_no_json_is_refused(client: CoperaClient, path: str) -> None:
    url, headers = f"{client.url}/{path}/row", {"Content-Type": "application/json"}
    assert client.session.post(url, data=b"{", headers=headers, timeout=30).status_code == 400
    assert client.session.post(url, data=b"columns=1", timeout=30).status_code == 415


def test_an_update_that_changes_nothing_moves_the_time_or_not(
    client: CoperaClient, app: CoperaSandbox, table: BoardTable, path: str
) -> None:
    row = _made(client, path, **{_text(table): "x"})
    app.behaviour.unchanged_moves_updated = False
    assert client.patch(f"{path}/row/{row['_id']}", {"columns": _cells(**{_text(table): "x"})}).json() == row
    app.behaviour.unchanged_moves_updated, app.behaviour.clock_skew = True, 1
    again = client.patch(f"{path}/row/{row['_id']}", {"columns": []}).json()
    assert again["updatedAt"] > row["updatedAt"]


def test_thirty_rows_may_be_made_a_minute_whatever_else_is_asked(
    client: CoperaClient, app: CoperaSandbox, path: str
) -> None:
    app.behaviour.create_limit, app.behaviour.rate_limit = 30, 50
    statuses = [client.post(f"{path}/row", {"columns": []}) for _ in range(31)]
    assert [one.status_code for one in statuses] == [200] * 30 + [429]
    assert statuses[0].headers["x-ratelimit-limit"] == "30"
    row = statuses[0].json()["_id"]
    answers = [client.patch(f"{path}/row/{row}", {"columns": []}), client.get(f"{path}/row/{row}")]
    assert [one.headers["x-ratelimit-remaining"] for one in answers] == ["49", "49"], "each has a window of its own"


def test_an_integration_key_writes_as_its_bot(client: CoperaClient, table: BoardTable, path: str) -> None:
    client.session.headers["Authorization"] = f"Bearer {API_KEY}"
    assert _made(client, path, **{_text(table): "x"})["owner"] == BOT
    row = next(iter(table.rows))
    comment = client.post(f"{path}/row/{row}/comment", {"content": "<p>x</p>"}).json()
    assert comment["author"]["_id"] == BOT


@pytest.mark.parametrize("shown", [False, True])
def test_an_automation_changes_the_row_as_somebody_else(
    client: CoperaClient, app: CoperaSandbox, table: BoardTable, path: str, shown: bool
) -> None:
    name = _text(table)
    app.behaviour.automations = [Automation("Deals", {name: "by a robot"}, on="create", shown=shown)]
    row = _made(client, path, **{name: "by hand"})
    assert _value(row, name) == ("by a robot" if shown else "by hand")
    held = client.json(f"{path}/row/{row['_id']}")
    assert _value(held, name) == "by a robot"
    changed = [one.id for one in table.columns if one.type == "LAST_MODIFIED_BY"]
    assert all(_value(held, one) == AI_USER for one in changed)
    client.patch(f"{path}/row/{row['_id']}", {"columns": _cells(**{name: "by hand"})})
    assert _value(client.json(f"{path}/row/{row['_id']}"), name) == "by hand"


def test_filters_may_lag_behind_writes(client: CoperaClient, app: CoperaSandbox, table: BoardTable, path: str) -> None:
    app.behaviour.index_lag = 60
    name = _text(table)
    where = {"filter": f'{{"conditions":[{{"column_id":"{name}","operator":"equals","value":"late one"}}]}}'}
    row = _made(client, path, **{name: "late one"})
    assert client.json(f"{path}/rows", **where) == []
    assert row in client.json(f"{path}/rows")
    app.account.before_write.clear()
    assert client.json(f"{path}/rows", **where) == [row]


def test_descriptions_and_long_texts_are_queued(client: CoperaClient, app: CoperaSandbox) -> None:
    table, column = _column(app, "DESCRIPTION")
    path = f"board/{table.board}/table/{table.id}"
    long_text = "# Title\n" + "long " * 30
    body = {"columns": _cells(**{column.id: long_text}), "description": "Described"}
    row = client.post(f"{path}/row", body).json()
    places = (f"{path}/row/{row['_id']}/md", f"{path}/row/{row['_id']}/column/{column.id}/md")
    assert [client.json(place)["content"] for place in places] == ["Described", long_text]
    held = client.json(f"{path}/row/{row['_id']}")
    assert _value(held, column.id) == long_text[:40]
    ignored = client.patch(f"{path}/row/{row['_id']}", {"columns": _cells(**{column.id: "short"})})
    assert ignored.status_code == 200
    for place in places:
        for operation, content in (("replace", "b"), ("append", "c"), ("prepend", "a")):
            answer = client.post(place, {"operation": operation, "content": content})
            assert answer.status_code == 202
        assert client.json(place)["content"] == "abc"
        app.behaviour.markdown_lag = 60
        client.post(place, {"operation": "replace", "content": "late"})
        assert client.json(place)["content"] == "abc"
        app.behaviour.markdown_lag = 0
    for wrong in ({"operation": "insert", "content": "x"}, {"content": "x"}, {"operation": "append"}):
        assert client.post(places[0], wrong).status_code == 400
    other = f"{path}/row/{row['_id']}/column/{_text(table)}/md"
    assert client.post(other, {"operation": "replace", "content": "x"}).status_code == 400


def test_comments_are_made_and_deleted(client: CoperaClient, app: CoperaSandbox, table: BoardTable, path: str) -> None:
    row = _made(client, path, **{_text(table): "x"})["_id"]
    made = client.post(f"{path}/row/{row}/comment", {"content": "<p>x</p>", "visibility": "external"}).json()
    assert client.json(f"{path}/row/{row}/comments")["items"] == [made]
    for wrong in ({}, {"content": ""}, {"content": 5}, {"content": "x", "visibility": "public"}, {"text": "x"}):
        assert client.post(f"{path}/row/{row}/comment", wrong).status_code == 400
    app.behaviour.comment_deletes = False
    assert client.delete(f"{path}/row/{row}/comment/{made['_id']}").status_code == 404
    app.behaviour.comment_deletes = True
    assert client.delete(f"{path}/row/{row}/comment/{made['_id']}").status_code == 204
    assert client.json(f"{path}/row/{row}/comments")["items"] == []


def test_who_may_not_enter_a_board_may_not_write_there(
    client: CoperaClient, app: CoperaSandbox, table: BoardTable, path: str
) -> None:
    row = next(iter(table.rows))
    app.behaviour.hidden_rows = [row]
    assert client.patch(f"{path}/row/{row}", {"columns": []}).status_code == 404
    app.behaviour.forbidden_writes = [f"{path}/row"]
    assert client.post(f"{path}/row", {"columns": []}).status_code == 403
    assert client.get(f"{path}/rows").status_code == 200
    app.behaviour.forbidden_boards = [table.board]
    assert client.post(f"{path}/row", {"columns": []}).status_code == 403


def test_tables_columns_and_options_cannot_be_written(client: CoperaClient, table: BoardTable, path: str) -> None:
    assert client.patch(path, {"name": "x"}).status_code == 404
    assert client.post(f"board/{table.board}/table", {"name": "x"}).status_code == 404
