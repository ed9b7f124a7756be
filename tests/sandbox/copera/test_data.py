"""What a generated Copera workspace is made of."""

# ruff: noqa: D103  (the name of a test is its sentence)
from __future__ import annotations

import sys
import time
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from sandbox.client import CoperaClient
from sandbox.copera import SMALL, CoperaAccount, Shape, copera_app
from sandbox.copera.moments import is_object_id
from sandbox.copera.schema import TYPES, UNKNOWN_TYPE
from sandbox.server import running
from tests.started import PIPE, Program

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def account() -> CoperaAccount:
    return CoperaAccount(SMALL)


def cells_of(account: CoperaAccount, kind: str) -> list[dict[str, Any]]:
    wanted = {one["columnId"] for one in account.records("columns") if one["type"] == kind}
    return [cell for row in account.records("rows") for cell in row["columns"] if cell["columnId"] in wanted]


def values_of(account: CoperaAccount, kind: str) -> list[Any]:
    return [cell["value"] for cell in cells_of(account, kind) if cell.get("value") not in (None, "", [])]


def test_the_same_shape_gives_the_same_account(account: CoperaAccount) -> None:
    again = CoperaAccount(SMALL)
    assert all(again.records(name) == account.records(name) for name in account.objects())
    other = CoperaAccount(Shape(seed=8, now=SMALL.now, rows=420))
    assert other.records("rows") != account.records("rows")


def test_every_type_has_a_column_and_values(account: CoperaAccount) -> None:
    assert {one["type"] for one in account.records("columns")} == set(TYPES)
    for kind in set(TYPES) - {"LOOKUP"}:
        assert values_of(account, kind), kind
    expected: dict[str, type | tuple[type, ...]] = {
        **dict.fromkeys(("TEXT", "DESCRIPTION", "EMAIL", "PHONE", "WEBSITE", "URL", "STATUS", "DROPDOWN", "DATE"), str),
        **dict.fromkeys(("FORMULA", "FUNCTION", "PASSWORD", "CREATED_AT", "UPDATED_AT", "CREATED_BY"), str),
        **dict.fromkeys(("NUMBER", "MONEY", "DURATION", "ROLLUP", "TRACKER"), (int, float)),
        **dict.fromkeys(("LABELS", "USERS", "LINK", "FILE"), list),
        "CHECKBOX": bool,
        "AUTONUMBER": int,
        "LOCATION": dict,
        UNKNOWN_TYPE: dict,
    }
    for kind, form in expected.items():
        assert all(isinstance(one, form) for one in values_of(account, kind)), kind


def test_cells_refer_to_what_there_is(account: CoperaAccount) -> None:
    members, rows = set(account.ids("members")), set(account.ids("rows"))
    options = {o["optionId"] for one in account.records("columns") for o in one.get("options", ())}
    assert {one for value in values_of(account, "USERS") for one in value} <= members
    assert set(values_of(account, "STATUS")) | {o for value in values_of(account, "LABELS") for o in value} <= options
    for cell in cells_of(account, "LINK"):
        value = cell.get("value") or []
        assert set(value) <= rows
        assert cell.get("linkValue", []) == [account.rows[one].display for one in value]
    looked = [one for cell in cells_of(account, "LOOKUP") for one in cell["lookupValue"]]
    assert {one["foreignRowId"] for one in looked} <= rows
    assert {one["value"] for one in cells_of(account, "LOOKUP")} == {None}


def test_rows_are_as_documented(account: CoperaAccount) -> None:
    required = {"_id", "rowId", "owner", "table", "board", "createdAt", "updatedAt", "columns"}
    members = set(account.ids("members"))
    for table in account.tables.values():
        rows = account.records(f"rows:{table.id}")
        assert len({one["rowId"] for one in rows}) == len(rows)
        for one in rows:
            assert required <= one.keys() <= required | {"description"}
            assert is_object_id(one["_id"])
            assert int(one["_id"][:8], 16) == int(datetime.fromisoformat(one["createdAt"]).timestamp())
            assert one["createdAt"] <= one["updatedAt"]
            assert one["updatedAt"].endswith("Z")
            assert one["owner"] in members
    assert any("description" in one for one in account.records("rows"))


def test_empty_cells_come_in_all_four_ways(account: CoperaAccount) -> None:
    table = account.table_named("Leads")
    email = table.column("Email").id
    found: Counter[str] = Counter()
    for row in account.records(f"rows:{table.id}"):
        cells = {cell["columnId"]: cell for cell in row["columns"]}
        found[repr(cells[email]["value"]) if email in cells else "missing"] += 1
    assert {"None", "''", "[]", "missing"} <= found.keys()


def test_names_that_readers_trip_over(account: CoperaAccount) -> None:
    assert max(Counter(one["name"] for one in account.records("boards")).values()) > 1
    assert max(Counter((t["board"], t["name"]) for t in account.records("tables")).values()) > 1
    labels = Counter((one["table"], one["label"]) for one in account.records("columns"))
    assert max(labels.values()) > 1
    names = {label for _, label in labels}
    assert {"owner", "_id", "updatedAt", "", "🎂", "名前"} <= names
    assert max(map(len, names)) > 200
    orders = [one.get("order") for one in account.records("columns")]
    assert None in orders
    options = [o for one in account.records("columns") for o in one.get("options", ())]
    assert any("label" not in one for one in options)
    assert {one.get("statusGroup") for one in options} == {"TODO", "IN_PROGRESS", "DONE", None}
    assert not account.records(f"rows:{account.table_named('Empty').id}")
    with_tables = {one["board"] for one in account.records("tables")}
    assert set(account.ids("boards")) - with_tables
    assert max(len(one["columns"]) for one in account.records("tables")) == 60


def test_some_rows_have_cells_of_no_column() -> None:
    account = CoperaAccount(Shape(seed=3, now=SMALL.now, rows=300, stray_cells=1.0))
    known = {one["columnId"] for one in account.records("columns")}
    assert all({c["columnId"] for c in one["columns"]} - known for one in account.records("rows"))


def test_ties_and_counts() -> None:
    shape = Shape(now=SMALL.now, rows={"Leads": 400, "Deals": 50}, tie_block=150, boards=9, tables=20, members=30)
    account = CoperaAccount(shape)
    leads = account.records(f"rows:{account.table_named('Leads').id}")
    assert (len(leads), len(account.ids("rows"))) == (400, 450)
    assert max(Counter(one["updatedAt"] for one in leads).values()) >= 150
    assert (len(account.ids("boards")), len(account.ids("tables")), len(account.ids("members"))) == (9, 20, 30)
    with pytest.raises(ValueError, match="no such tables: Nothing"):
        CoperaAccount(Shape(rows={"Nothing": 1}))
    small = CoperaAccount(Shape(now=SMALL.now, boards=1, tables=1, rows=40))
    assert [one["name"] for one in small.records("tables")] == ["Leads", "People", "Companies", "Deals"]


def test_every_object_has_as_many_ids_as_records(account: CoperaAccount) -> None:
    for name in account.objects():
        ids = account.ids(name)
        assert len(set(ids)) == len(ids) == len(account.records(name)), name
        assert ids or name.startswith("rows:"), name


def test_deriving_again_changes_nothing(account: CoperaAccount) -> None:
    before = {row.id: row.raw for row in account.rows.values()}
    for table in account.tables.values():
        account.editor.rows.again(table, table.rows.values())
    assert {row.id: row.raw for row in account.rows.values()} == before


def test_10_000_rows_are_made_in_time() -> None:
    start = time.process_time()
    account = CoperaAccount(Shape(seed=5, now=SMALL.now, rows=10_000, tables=12))
    assert time.process_time() - start < 6
    assert len(account.rows) == 10_000


def test_a_table_of_any_size_is_sent_in_pieces() -> None:
    app = copera_app(Shape(seed=5, now=SMALL.now, rows=0, big_table=6_000_000), rate_limit=0)
    table = app.account.table_named("Big")
    assert sum(len(row.raw) for row in table.rows.values()) < 1_500_000
    with running(app) as url:
        client = CoperaClient(url)
        answer = client.get(f"board/{table.board}/table/{table.id}/rows")
        client.control("edit", {"object": "Big", "count": 2})
        again = client.get(f"board/{table.board}/table/{table.id}/rows")
        client.close()
    assert abs(len(answer.content) - 6_000_000) < 10_000
    assert int(answer.headers["Content-Length"]) == len(answer.content)
    rows = answer.json()
    assert len({one["_id"] for one in rows}) == len(rows) == len(table.rows)
    assert sum(one != other for one, other in zip(rows, again.json(), strict=True)) == 2


def test_it_is_served_beside_the_others() -> None:
    command = [sys.executable, "-m", "sandbox", "copera", "--port", "0", "--rows", "60", "--members", "9"]
    command += ["--documents", "20", "--token", "cp_pat_own", "--knobs", '{"rows_as": "string"}', "--now", "1790000000"]
    with Program(command, stdout=PIPE, cwd=ROOT) as process:
        assert process.stdout
        client = CoperaClient(process.stdout.readline().decode().strip().rsplit(" ", 1)[1], "cp_pat_own")
        try:
            assert client.url.endswith("/public/v1")
            assert client.json("workspace/members")["total"] == 9
            truth = client.control("truth")
            assert truth["rows"]["count"] == 60
            table = client.control("truth/tables")[0]
            rows = client.json(f"board/{table['board']}/table/{table['_id']}/rows")
            assert rows == client.control(f"truth/rows:{table['_id']}")
            assert isinstance(rows[0]["rowId"], str)
        finally:
            client.close()
            process.terminate()
