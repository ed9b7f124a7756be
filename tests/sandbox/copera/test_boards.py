"""Boards, tables, rows and what hangs on rows, as Copera's documentation has them."""

# ruff: noqa: D103  (the name of a test is its sentence)
from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from sandbox.client import CoperaClient
from sandbox.copera import SMALL, CoperaSandbox, copera_app
from sandbox.server import running

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandbox.copera.schema import BoardTable


@pytest.fixture(scope="module")
def app() -> CoperaSandbox:
    return copera_app(SMALL, rate_limit=0)


@pytest.fixture(scope="module")
def client(app: CoperaSandbox) -> Iterator[CoperaClient]:
    with running(app) as url:
        client = CoperaClient(url)
        yield client
        client.close()


@pytest.fixture(autouse=True)
def usual(app: CoperaSandbox) -> Iterator[None]:
    """Put every knob back after a test."""
    yield
    fresh = copera_app(type(SMALL)(rows=0, tables=4), rate_limit=0).behaviour
    for name in type(fresh).__dataclass_fields__:
        setattr(app.behaviour, name, getattr(fresh, name))


def path_of(table: BoardTable) -> str:
    return f"board/{table.board}/table/{table.id}"


def leads(app: CoperaSandbox) -> BoardTable:
    return app.account.table_named("Leads")


def rows(client: CoperaClient, table: BoardTable, **query: object) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = client.json(f"{path_of(table)}/rows", **query)
    return found


def test_boards_are_a_bare_array_and_each_can_be_asked_for(app: CoperaSandbox, client: CoperaClient) -> None:
    boards = client.json("board/list-boards")
    assert boards == app.account.records("boards")
    assert [client.json(f"board/{one['_id']}") for one in boards] == boards
    names = [one["name"] for one in boards]
    assert len(names) > len(set(names))
    assert [one["name"] for one in client.json("board/list-boards", q="sALEs")] == ["Sales"]


def test_tables_have_their_columns(app: CoperaSandbox, client: CoperaClient) -> None:
    tables = [one for board in app.account.ids("boards") for one in client.json(f"board/{board}/tables")]
    assert sorted(tables, key=lambda one: one["_id"]) == sorted(
        app.account.records("tables"), key=lambda one: one["_id"]
    )
    assert [client.json(f"board/{one['board']}/table/{one['_id']}") for one in tables] == tables
    selects = [one for table in tables for one in table["columns"] if "options" in one]
    assert {one["type"] for one in selects} == {"STATUS", "DROPDOWN", "LABELS"}
    for one in selects:
        assert all(("statusGroup" in option) is (one["type"] == "STATUS") for option in one["options"])
    board = leads(app).board
    assert [one["name"] for one in client.json(f"board/{board}/tables", q="deal")] == ["Deals"]


def test_every_table_is_whole_in_one_answer(app: CoperaSandbox, client: CoperaClient) -> None:
    for table in app.account.tables.values():
        assert rows(client, table) == app.account.records(f"rows:{table.id}")


def test_a_row_by_its_id_and_by_its_number(app: CoperaSandbox, client: CoperaClient) -> None:
    table = leads(app)
    first = rows(client, table)[0]
    assert client.json(f"{path_of(table)}/row/{first['_id']}") == first
    assert client.json(f"{path_of(table)}/row-number/{first['rowId']}") == first
    assert client.get(f"{path_of(table)}/row/{'0' * 24}").status_code == 404
    assert client.get(f"{path_of(table)}/row-number/999999").status_code == 404
    other = app.account.table_named("Deals")
    assert client.get(f"{path_of(other)}/row/{first['_id']}").status_code == 404
    assert client.get(f"board/{app.account.ids('boards')[1]}/table/{table.id}/rows").status_code == 404


def test_the_markdown_of_rows_and_cells(app: CoperaSandbox, client: CoperaClient) -> None:
    for one in app.account.records("row_descriptions")[:5]:
        place = f"board/{one['board']}/table/{one['table']}/row/{one['row']}"
        assert client.json(f"{place}/md") == {"content": one["content"]}
    texts = app.account.records("rich_text_cells")
    for one in texts[:5]:
        place = f"board/{one['board']}/table/{one['table']}/row/{one['row']}"
        assert client.json(f"{place}/column/{one['columnId']}/md") == {"content": one["content"]}
        cells = {cell["columnId"]: cell for cell in client.json(place)["columns"]}
        assert one["content"].startswith(cells[one["columnId"]]["value"])
    assert any(len(one["content"]) > 40 for one in texts)
    table = leads(app)
    with_text = {one["row"] for one in texts}
    bare = next(one for one in table.rows if one not in with_text)
    notes = table.column("Notes").id
    assert client.json(f"{path_of(table)}/row/{bare}/column/{notes}/md") == {"content": ""}
    place = f"{path_of(table)}/row/{bare}/column"
    assert client.get(f"{place}/{table.column('Email').id}/md").status_code == 400
    assert client.get(f"{place}/{'0' * 24}/md").status_code == 404


@pytest.mark.parametrize("order", ["oldest", "newest"])
def test_comments_page_by_page(app: CoperaSandbox, client: CoperaClient, order: str) -> None:
    client.control("configure", {"comment_page": 3, "comment_order": order})
    row_id, truth = max(app.account.comments.items(), key=lambda one: len(one[1]))
    assert len(truth) > 6
    place = f"{path_of(app.account.table_of(app.account.rows[row_id]))}/row/{row_id}/comments"
    found: list[Any] = []
    query: dict[str, str] = {}
    while True:
        page = client.json(place, **query)
        assert page["pageInfo"]["hasPreviousPage"] is bool(found)
        found += page["items"]
        if not page["pageInfo"]["hasNextPage"]:
            break
        query = {"after": page["pageInfo"]["endCursor"]}
    assert found == (truth if order == "oldest" else truth[::-1])
    back = client.json(place, before=found[5]["_id"])
    assert back["items"] == found[2:5]
    assert back["pageInfo"]["hasNextPage"] is True
    external = client.json(place, visibility="external")["items"]
    assert external == [one for one in found if one["visibility"] == "external"][:3]
    assert client.get(place, after="0" * 24, before="0" * 24).status_code == 400


def test_a_row_without_comments(app: CoperaSandbox, client: CoperaClient) -> None:
    table = leads(app)
    row_id = next(one for one in table.rows if one not in app.account.comments)
    info = {"endCursor": None, "startCursor": None, "hasNextPage": False, "hasPreviousPage": False}
    assert client.json(f"{path_of(table)}/row/{row_id}/comments") == {"items": [], "pageInfo": info}


def test_files_of_cells_and_comments(app: CoperaSandbox, client: CoperaClient) -> None:
    table = app.account.table_named("Deals")
    column = table.column("Contract").id
    cells = {one["_id"]: {c["columnId"]: c.get("value") for c in one["columns"]} for one in rows(client, table)}
    row_id, file = next((one, found[column][0]) for one, found in cells.items() if found.get(column))
    answer = client.get(f"{path_of(table)}/row/{row_id}/column/{column}/file/{file['fileId']}/download")
    assert answer.content == f"content of {file['fileId']}".encode()
    assert "attachment" in answer.headers["Content-Disposition"]
    comment = next(one for one in app.account.records("comments") if "attachment" in one)
    place = f"board/{comment['board']}/table/{comment['table']}/row/{comment['row']}/comment/{comment['_id']}/file"
    assert client.get(f"{place}/{comment['attachment']['fileId']}/download").status_code == 200
    assert client.get(f"{place}/{'0' * 24}/download").status_code == 404


def test_search_filter_and_sort(app: CoperaSandbox, client: CoperaClient) -> None:
    table = leads(app)
    everything = rows(client, table)
    stage, value, when = (table.column(one) for one in ("Stage", "Value", "Created"))

    def cell(row: dict[str, Any], column: str) -> Any:  # noqa: ANN401
        return next((one.get("value") for one in row["columns"] if one["columnId"] == column), None)

    def asked(operator: str, column: str, *given: object, match: str = "and") -> list[dict[str, Any]]:
        condition: dict[str, object] = {"column_id": column, "operator": operator}
        condition |= {"value": given[0]} if given else {}
        return rows(client, table, filter=json.dumps({"match": match, "conditions": [condition]}))

    option = stage.options[0]["optionId"]
    assert asked("equals", stage.id, option) == [one for one in everything if cell(one, stage.id) == option]
    assert asked("is_empty", value.id) == [one for one in everything if cell(one, value.id) in (None, "", [])]
    assert asked("gt", value.id, 100) == [
        one for one in everything if isinstance(found := cell(one, value.id), (int, float)) and found > 100
    ]
    moment = sorted(one["createdAt"] for one in everything)[20]
    assert asked("after", when.id, moment) == [one for one in everything if one["createdAt"] > moment]
    assert asked("today", when.id) == []
    name = table.columns[0].id
    assert asked("contains", name, "LI") == [one for one in everything if "li" in (cell(one, name) or "").lower()]
    found = rows(client, table, sort=f"{value.id}:desc")
    numbers = [cell(one, value.id) for one in found if isinstance(cell(one, value.id), (int, float))]
    assert numbers == sorted(numbers, reverse=True)
    assert len(found) == len(everything)
    word = everything[0]["columns"][0]["value"].split()[0]
    found = rows(client, table, q=word.upper())
    assert everything[0] in found
    assert all(word.lower() in json.dumps(one, ensure_ascii=False).lower() for one in found)
    assert len(found) < len(everything)


def test_filters_that_make_no_sense_are_refused(app: CoperaSandbox, client: CoperaClient) -> None:
    table = leads(app)
    name, value = table.columns[0].id, table.column("Value").id
    good = {"column_id": name, "operator": "equals", "value": "x"}
    wrong = [
        {"conditions": []},
        {"conditions": [good] * 21},
        {"conditions": [good], "match": "xor"},
        {"conditions": [good | {"operator": "gt"}]},
        {"conditions": [good | {"column_id": "updatedAt"}]},
        {"conditions": [{"column_id": value, "operator": "gt", "value": "many"}]},
        {"conditions": [good | {"extra": 1}]},
    ]
    for one in wrong:
        answer = client.get(f"{path_of(table)}/rows", filter=json.dumps(one))
        assert (answer.status_code, answer.json()["message"]) == (400, "Invalid parameter: filter")
    assert client.get(f"{path_of(table)}/rows", filter="{").status_code == 400
    for sort in (name, f"{name}:up", "updatedAt:asc"):
        assert client.get(f"{path_of(table)}/rows", sort=sort).status_code == 400


def test_other_forms_of_the_same_rows(app: CoperaSandbox, client: CoperaClient) -> None:
    table = leads(app)
    usual_rows = rows(client, table)
    forms = {"STATUS": "array", "DATE": "range", "MONEY": "object", "NUMBER": "string", "PHONE": "number"}
    client.control("configure", {"rows_as": "string", "cell_forms": forms})
    changed = rows(client, table)
    assert changed == app.account.records(f"rows:{table.id}")
    assert [one["rowId"] for one in changed] == [str(one["rowId"]) for one in usual_rows]
    kinds = {one.id: one.type for one in table.columns}
    seen = set()
    for old, new in zip(usual_rows, changed, strict=True):
        for before, after in zip(old["columns"], new["columns"], strict=True):
            kind, value = kinds.get(before["columnId"]), before.get("value")
            if value in (None, "", []):
                assert before == after
                continue
            expected: dict[str, Any] = {"STATUS": [value], "DATE": {"start": value, "end": value}}
            expected |= {"MONEY": {"value": value}, "NUMBER": str(value), "PHONE": after["value"]}
            assert after["value"] == expected.get(kind or "", value)
            seen.add(kind)
    assert seen >= set(forms)
    assert client.json(f"{path_of(table)}/row-number/{usual_rows[0]['rowId']}") == changed[0]


def test_the_order_of_rows_is_not_to_be_depended_on(app: CoperaSandbox, client: CoperaClient) -> None:
    table = leads(app)
    first = rows(client, table)
    client.control("configure", {"row_order": "newest"})
    assert rows(client, table) == first[::-1]
    client.control("configure", {"row_order": "shuffled"})
    one, other = rows(client, table), rows(client, table)
    assert one != other
    assert {row["_id"] for row in one} == {row["_id"] for row in first}


def test_hidden_rows_are_left_out_with_status_200(app: CoperaSandbox, client: CoperaClient) -> None:
    table = leads(app)
    everything = rows(client, table)
    hidden = client.control("hide", {"object": "Leads", "count": 3})["ids"]
    assert [one["_id"] for one in rows(client, table)] == [one["_id"] for one in everything if one["_id"] not in hidden]
    assert client.get(f"{path_of(table)}/row/{hidden[0]}").status_code == 404
    assert len(app.account.records(f"rows:{table.id}")) == len(everything)
    client.control("show", {"object": "Leads", "ids": hidden})
    assert rows(client, table) == everything
    client.control("configure", {"hidden_share": 0.5})
    assert 0 < len(rows(client, table)) < len(everything)
    client.control("configure", {"hidden_share": 0, "visible_rows": "own"})
    me = app.account.ids("members")[0]
    users = table.column("owner").id
    own = rows(client, table)
    assert 0 < len(own) < len(everything)
    assert all(me in next(c["value"] for c in one["columns"] if c["columnId"] == users) for one in own)
