"""Changes of a Copera workspace, and which dates they move."""

# ruff: noqa: D103  (the name of a test is its sentence)
from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from sandbox.client import CoperaClient
    from sandbox.copera import CoperaSandbox
    from sandbox.copera.schema import BoardTable


def table_of(app: CoperaSandbox, name: str) -> BoardTable:
    return app.account.table_named(name)


def rows(app: CoperaSandbox, client: CoperaClient, name: str) -> dict[str, dict[str, Any]]:
    """Read a table as a client sees it, by id."""
    table = table_of(app, name)
    found = client.json(f"board/{table.board}/table/{table.id}/rows")
    assert found == app.account.records(f"rows:{table.id}")
    return {one["_id"]: one for one in found}


def columns(client: CoperaClient, table: BoardTable) -> dict[str, dict[str, Any]]:
    shown = client.json(f"board/{table.board}/table/{table.id}")
    return {one["columnId"]: one for one in shown["columns"]}


def cell(row: dict[str, Any], column: str) -> dict[str, Any]:
    return next((one for one in row["columns"] if one["columnId"] == column), {})


def changed(before: dict[str, dict[str, Any]], after: dict[str, dict[str, Any]]) -> set[str]:
    return {one for one in before.keys() | after.keys() if before.get(one) != after.get(one)}


def test_edits_move_the_time_and_only_what_was_edited(app: CoperaSandbox, client: CoperaClient) -> None:
    before = rows(app, client, "Leads")
    ids = client.control("edit", {"object": "Leads", "count": 4})["ids"]
    after = rows(app, client, "Leads")
    assert changed(before, after) == set(ids)
    name = table_of(app, "Leads").columns[0].id
    for one in ids:
        assert after[one]["updatedAt"] > max(row["updatedAt"] for row in before.values())
        assert after[one]["createdAt"] == before[one]["createdAt"]
        assert "(edit " in cell(after[one], name)["value"]
    table = table_of(app, "Leads")
    order = {"object": table.id, "ids": ids[:1], "changes": {"Email": "new@x.example", "description": "Wichtig"}}
    client.control("edit", order)
    row = rows(app, client, "Leads")[ids[0]]
    assert cell(row, table.column("Email").id)["value"] == "new@x.example"
    assert row["description"] == "Wichtig"


def test_times_of_the_row_show_in_its_columns(app: CoperaSandbox, client: CoperaClient) -> None:
    (number,) = client.control("edit", {"object": "Deals"})["ids"]
    row = rows(app, client, "Deals")[number]
    assert cell(row, table_of(app, "Deals").column("Changed").id)["value"] == row["updatedAt"]


def test_rows_come_and_go_without_a_trace(app: CoperaSandbox, client: CoperaClient) -> None:
    before = rows(app, client, "People")
    made = client.control("create", {"object": "People", "count": 2, "changes": {"Email": "n@x.example"}})["ids"]
    gone = client.control("delete", {"object": "People", "count": 3})["ids"]
    after = rows(app, client, "People")
    assert after.keys() == (before.keys() | set(made)) - set(gone)
    numbers = [one["rowId"] for one in after.values()]
    assert len(set(numbers)) == len(numbers)
    table = table_of(app, "People")
    assert client.get(f"board/{table.board}/table/{table.id}/row/{gone[0]}").status_code == 404
    assert not [one for one in app.account.records("comments") if one["row"] in gone]


def test_a_linked_rows_edit_changes_others_without_moving_their_time(app: CoperaSandbox, client: CoperaClient) -> None:
    names = ("Leads", "People", "Deals", "Everything")
    before = {name: rows(app, client, name) for name in names}
    told = client.control("edit_linked", {"object": "Companies", "count": 3})["ids"]
    found = set()
    for name in names:
        after = rows(app, client, name)
        for one in changed(before[name], after):
            found.add(one)
            assert after[one]["updatedAt"] == before[name][one]["updatedAt"]
            assert any("linkValue" in cell for cell in after[one]["columns"])
    assert found == set(told)
    assert told


def test_lookups_rollups_and_trackers_follow(app: CoperaSandbox, client: CoperaClient) -> None:
    companies, deals = table_of(app, "Companies"), table_of(app, "Deals")
    link = companies.column("Deals").id
    before = rows(app, client, "Companies")
    company = next(one for one in before.values() if cell(one, link).get("value"))
    (deal, *_) = cell(company, link)["value"]
    done = [one["optionId"] for one in deals.column("Stage").options if one["statusGroup"] == "DONE"][0]  # noqa: RUF015
    changes = {"Amount": 1_000_000, "Stage": done}
    client.control("edit", {"object": "Deals", "ids": [deal], "changes": changes})
    after = rows(app, client, "Companies")[company["_id"]]
    linked = [rows(app, client, "Deals")[one] for one in cell(after, link)["value"]]
    amounts = [cell(one, deals.column("Amount").id).get("value") or 0 for one in linked]
    assert cell(after, companies.column("Value of deals").id)["value"] == round(sum(amounts), 2)
    assert cell(after, companies.column("Won").id)["value"] >= 100 / len(linked) - 0.1
    assert after["updatedAt"] == company["updatedAt"]
    people = table_of(app, "People")
    employees = companies.column("Employees").id
    client.control("edit", {"object": "Companies", "ids": [company["_id"]], "changes": {employees: 77_777}})
    lookup = people.column("Employees of the company").id
    for one in rows(app, client, "People").values():
        for value in cell(one, lookup)["lookupValue"]:
            if value["foreignRowId"] == company["_id"]:
                assert value["foreignRowValue"] == 77_777


def test_both_sides_of_a_link(app: CoperaSandbox, client: CoperaClient) -> None:
    deals, companies = table_of(app, "Deals"), table_of(app, "Companies")
    there, here = companies.column("Deals").id, deals.column("Company").id

    def agree() -> None:
        forward = {
            (one["_id"], target)
            for one in rows(app, client, "Deals").values()
            for target in cell(one, here).get("value") or []
        }
        backward = {
            (source, one["_id"])
            for one in rows(app, client, "Companies").values()
            for source in cell(one, there).get("value") or []
        }
        assert forward == backward

    agree()
    deal, *others = list(deals.rows)
    company = list(companies.rows)[3]
    client.control("edit", {"object": "Deals", "ids": [deal], "changes": {"Company": [company]}})
    shown = rows(app, client, "Deals")[deal]
    assert cell(shown, here)["linkValue"] == [companies.rows[company].display]
    agree()
    client.control("delete", {"object": "Companies", "ids": [company]})
    assert cell(rows(app, client, "Deals")[deal], here).get("value") in (None, [])
    agree()
    client.control("create", {"object": "Deals", "count": 3})
    client.control("delete", {"object": "Deals", "ids": others[:3]})
    agree()


def test_columns_come_change_and_go(app: CoperaSandbox, client: CoperaClient) -> None:
    table = table_of(app, "Leads")
    before = rows(app, client, "Leads")
    order = {"table": "Leads", "label": "Größe", "type": "NUMBER", "fill": True}
    (number,) = client.control("add_column", order)["ids"]
    assert columns(client, table)[number]["label"] == "Größe"
    after = rows(app, client, "Leads")
    assert all(cell(one, number) for one in after.values())
    assert {one: row["updatedAt"] for one, row in after.items()} == {o: row["updatedAt"] for o, row in before.items()}
    client.control("rename_column", {"table": "Leads", "column": number, "label": "Size"})
    client.control("retype_column", {"table": "Leads", "column": "Size", "type": "STATUS"})
    assert columns(client, table)[number]["label"] == "Size"
    assert columns(client, table)[number]["options"]
    assert rows(app, client, "Leads") == after
    client.control("remove_column", {"table": "Leads", "column": number})
    assert number not in columns(client, table)
    assert rows(app, client, "Leads") == before
    email = table.column("Email").id
    client.control("remove_column", {"table": "Leads", "column": email, "keep_cells": True})
    assert rows(app, client, "Leads") == before
    assert client.control("rename_column", {"table": "Leads", "column": "Score", "label": "x"})["error"]


@pytest.mark.parametrize("moves", [True, False])
def test_options_come_change_and_go(app: CoperaSandbox, client: CoperaClient, moves: bool) -> None:
    client.control("configure", {"schema_moves_table": moves})
    table = table_of(app, "Leads")
    place = {"table": "Leads", "column": "Stage"}
    stage = table.column("Stage").id
    updated = client.json(f"board/{table.board}/table/{table.id}")["updatedAt"]
    before = rows(app, client, "Leads")
    (number,) = client.control("add_option", place | {"label": "Paused", "statusGroup": "IN_PROGRESS"})["ids"]
    client.control("rename_option", place | {"option": number, "label": "On hold"})
    assert columns(client, table)[stage]["options"][-1].items() >= {"label": "On hold", "optionId": number}.items()
    used = columns(client, table)[stage]["options"][0]["optionId"]
    client.control("delete_option", place | {"option": used})
    assert used not in [one["optionId"] for one in columns(client, table)[stage]["options"]]
    assert rows(app, client, "Leads") == before
    assert used in [cell(one, stage).get("value") for one in before.values()]
    assert (client.json(f"board/{table.board}/table/{table.id}")["updatedAt"] > updated) is moves


def test_boards_and_tables_are_renamed_and_deleted(app: CoperaSandbox, client: CoperaClient) -> None:
    deals = table_of(app, "Deals")
    client.control("rename_board", {"board": deals.board, "name": "Vertrieb"})
    client.control("rename_table", {"table": "Deals", "name": "Opportunities"})
    assert client.json(f"board/{deals.board}")["name"] == "Vertrieb"
    assert client.json(f"board/{deals.board}/table/{deals.id}")["name"] == "Opportunities"
    client.control("delete_table", {"table": deals.id})
    assert client.get(f"board/{deals.board}/table/{deals.id}/rows").status_code == 404
    companies = table_of(app, "Companies")
    link = companies.column("Deals").id
    assert not any(cell(one, link).get("value") for one in rows(app, client, "Companies").values())
    client.control("delete", {"object": "boards", "ids": [deals.board]})
    assert client.get(f"board/{deals.board}").status_code == 404
    assert companies.id not in app.account.ids("tables")


@pytest.mark.parametrize("name", ["members", "teams", "channels", "documents", "drive_files", "bookings"])
def test_lists_change(app: CoperaSandbox, client: CoperaClient, name: str) -> None:
    made = client.control("create", {"object": name, "count": 2})["ids"]
    assert set(made) <= set(app.account.ids(name))
    (edited,) = client.control("edit", {"object": name, "ids": made[:1]})["ids"]
    client.control("delete", {"object": name, "ids": made[1:]})
    assert made[1] not in app.account.ids(name)
    key = "uid" if name == "bookings" else "_id"
    record = next(one for one in app.account.records(name) if one[key] == edited)
    assert any("(edit" in str(value) for value in record.values())
    if name == "members":
        client.control("edit", {"object": name, "ids": [edited], "changes": {"active": False}})
        shown = client.json("workspace/members")["members"]
        assert [one["active"] for one in shown if one["_id"] == edited] == [False]
    assert "error" in client.control("edit", {"object": name, "ids": ["0" * 24]})


@pytest.mark.parametrize("moves", [True, False])
def test_comments_and_texts_move_the_row_or_not(app: CoperaSandbox, client: CoperaClient, moves: bool) -> None:
    client.control("configure", {"markdown_moves_row": moves})
    table = table_of(app, "Leads")
    row_id, other = [one for one in table.rows if one not in app.account.comments][:2]
    before = rows(app, client, "Leads")
    (made,) = client.control("create", {"object": "comments", "changes": {"row": row_id, "content": "Neu"}})["ids"]
    path = f"board/{table.board}/table/{table.id}/row"
    shown = client.json(f"{path}/{row_id}/comments")["items"][0]
    assert (shown["_id"], shown["content"]) == (made, "Neu")
    order = {"object": "row_descriptions", "ids": [other], "changes": {"content": "# Text"}}
    assert client.control("edit", order) == {"ids": [other]}
    assert client.json(f"{path}/{other}/md") == {"content": "# Text"}
    after = rows(app, client, "Leads")
    assert (after[row_id]["updatedAt"] > before[row_id]["updatedAt"]) is moves
    assert (after[other]["updatedAt"] > before[other]["updatedAt"]) is moves
    client.control("delete", {"object": "comments", "ids": [made]})
    assert made not in app.account.ids("comments")


def test_rich_texts_are_edited_and_follow_their_cells(app: CoperaSandbox, client: CoperaClient) -> None:
    one = app.account.records("rich_text_cells")[0]
    path = f"board/{one['board']}/table/{one['table']}/row/{one['row']}/column/{one['columnId']}/md"
    key = f"{one['row']}/{one['columnId']}"
    client.control("edit", {"object": "rich_text_cells", "ids": [key], "changes": {"content": "**new**"}})
    assert client.json(path) == {"content": "**new**"}
    client.control("edit", {"object": one["table"], "ids": [one["row"]], "changes": {one["columnId"]: "short"}})
    assert client.json(path) == {"content": "short"}


def test_orders_that_make_no_sense(client: CoperaClient) -> None:
    for verb, order in (
        ("edit", {"object": "Nothing"}),
        ("edit", {"object": "Bugs"}),
        ("delete", {"object": "Leads", "ids": ["0" * 24]}),
        ("shout", {"object": "Leads"}),
        ("create", {"object": "boards"}),
        ("edit", {"object": "Leads", "changes": {"No such column": 1}}),
        ("configure", {"speed": 1}),
    ):
        assert "error" in client.control(verb, order)
