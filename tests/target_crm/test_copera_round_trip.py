"""What the tap read of one workspace, written into an empty one, is there as it was, but for ids and times."""

# ruff: noqa: D103  (the name of a test is its sentence)
from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Literal

import pytest

from sandbox.copera import PAT, CoperaSandbox, Shape, copera_app
from sandbox.server import running
from tests.singer import Tap, selecting
from tests.target_crm.copera_account import COMPANIES, DEALS, LEADS, PEOPLE
from tests.target_crm.running import Bench

if TYPE_CHECKING:
    from pathlib import Path

Record = dict[str, Any]
TABLES = (LEADS, PEOPLE, COMPANIES, DEALS)
SAME: Record = {"seed": 5, "now": 1_790_000_000, "boards": 1, "tables": 4, "members": 4, "stray_cells": 0.0}
NOTHING: Record = dict.fromkeys(("documents", "drive_files", "bookings", "notifications", "channels", "comments"), 0)
#: What only Copera sets, and what it never shows; what it derives from links holds ids of the other account.
_NOT_WRITTEN = re.compile(
    "type (FORMULA|FUNCTION|ROLLUP|LOOKUP|TRACKER|AUTONUMBER|FILE|CREATED_AT|UPDATED_AT|PASSWORD)"
)
_OWN = ("_id", "rowId", "owner", "board", "table", "createdAt", "updatedAt", "columns")


@pytest.mark.parametrize("rejected", ["ignored", "refused"])
def test_what_the_tap_read_is_written_into_an_empty_workspace_as_it_was(
    tmp_path: Path, rejected: Literal["ignored", "refused"]
) -> None:
    rows = {"Leads": 6, "People": 8, "Companies": 5, "Deals": 6}
    source, copied = (
        copera_app(Shape(**SAME, **NOTHING, rows=part), rate_limit=0, create_limit=0, rejected_values=rejected)
        for part in (rows, 0)
    )
    messages = read(source, tmp_path)
    with running(copied) as url:
        bench = Bench(tmp_path, None, {"provider": "copera", "api_key": PAT, "api_url": url, "requests_per_minute": 0})
        done = bench.run_for_real(messages)  # people and companies refer to each other
        again = bench.run_for_real(messages)
    count = sum(rows.values())
    assert (done.code, done.outcomes) == (0, {"created": count}), {line["reason"] for line in done.lines}
    assert (again.code, again.outcomes) == (0, {"unchanged": count})
    ids = {line["key"]: line["crm_id"] for line in done.lines}
    there = {one["record"]["_id"]: one["record"] for one in read(copied, tmp_path) if one["type"] == "RECORD"}
    assert len(there) == len(ids) == count
    kinds: dict[tuple[str, str], str] = {}
    for one in messages:
        if one["type"] == "SCHEMA":
            for name, part in one["schema"]["properties"].items():
                kinds[one["stream"], name] = part.get("description", "")
            continue
        stream, record = one["stream"], one["record"]
        other = there[ids[record["_id"]]]
        other["description"] = copied.account.texts.get((other["_id"], ""))  # rows do not show what is written of it
        for name, value in record.items():
            kind = kinds[stream, name]
            if name in _OWN or name.startswith("_sdc") or _NOT_WRITTEN.search(kind):
                continue
            wanted = [ids[key] for key in value or ()] if "type LINK" in kind else value
            assert plain(wanted) == plain(other.get(name)), (stream, name)


def read(app: CoperaSandbox, folder: Path) -> list[Record]:
    """Return what the tap reads, with the ids of options."""
    with running(app) as url:
        connection: Record = {"provider": "copera", "api_key": PAT, "api_url": url, "requests_per_minute": 0}
        tap = Tap(folder, **connection, custom_fields="both")
        tap.inside = True
        messages: list[Record] = tap.sync(catalog=selecting(tap.discover()[0], *TABLES)).messages
    messages = [one for one in messages if one["type"] in ("SCHEMA", "RECORD") and one["stream"] in TABLES]
    plain_json: list[Record] = json.loads(json.dumps(messages, default=float))
    return plain_json


def plain(value: Any) -> Any:  # noqa: ANN401
    """Return a value so that what is empty is one, and so are lists in another order."""
    return sorted(map(str, value)) if isinstance(value, list) and value else value or None
