"""A complete read of which a run wrote rows without their version begins anew: its end would take these for gone."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from tap_crm.shaping.moments import from_epoch, to_epoch
from tests.target import Target

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.states.conftest import Account

    Open = Callable[..., Account]

MANY = 40
#: Where the state has a complete read that is not over.
UNFINISHED = "reconcile"
LOADS: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
    "copper": ("people", {"people": 90}, {"page_cap": 5}),
    "close": ("leads", {"leads": 90}, {"limit_caps": {"data/search": 5}}),
}
UNVERSIONED: dict[str, Any] = {"activate_versions": False}


@pytest.mark.parametrize("name", LOADS)
def test_a_part_that_was_written_without_versions_does_not_count_as_gone(open_account: Open, name: str) -> None:
    """The second part of a reconcile told no versions; the third one tells them again."""
    stream, shape, knobs = LOADS[name]
    account = open_account(name, shape, **knobs)
    first = account.sync()
    part = {"reconcile": "true", "reconcile_max_requests": 1}
    second = account.sync(state=first.state, **part)
    third = account.sync(state=second.state, **part, **UNVERSIONED)
    assert UNFINISHED in account.kept(second)
    assert UNFINISHED in account.kept(third)
    assert third.count(stream)
    last = account.sync(state=third.state)
    target = Target(first, second, third, last)
    assert len(target.activated(stream)) == 2
    assert target.marked(stream) == set()
    assert any("begins anew" in note for note in last.audit()[stream]["notes"])


@pytest.mark.parametrize("how", ["no versions", "batch files"])
def test_changes_that_were_written_without_versions_do_not_count_as_gone(
    open_account: Open, tmp_path: Path, how: str
) -> None:
    """A run without reconcile comes between its parts; it edits what the first part has read, along the creation."""
    account = open_account("close", {"tasks": MANY})
    account.stream = "tasks"
    first = account.sync()
    times = sorted((to_epoch(record["date_created"]) or 0, record["id"]) for record in first.records("tasks"))
    state = first.state
    state["bookmarks"]["tasks"][UNFINISHED] = {
        "version": int(time.time() * 1000),
        "started": from_epoch(int(time.time()) - 60),
        "since": None,
        "read_to": from_epoch(times[MANY // 2][0]),
        "rows": MANY // 2,
        "new": 0,
        "again": 0,
    }
    organization: Any = account.app.account
    edited = organization.edit("tasks", ids=[times[0][1]])
    files = {"encoding": {"format": "jsonl", "compression": "gzip"}, "storage": {"root": tmp_path.as_uri()}}
    between = account.sync(
        state=state, reconcile="false", **(UNVERSIONED if how == "no versions" else {"batch_config": files})
    )
    last = account.sync(state=between.state)
    versions = {one["version"] for one in last.messages if one["type"] == "ACTIVATE_VERSION"}
    assert len(versions) == 1
    written = {one["record"]["id"] for one in last.messages if one["type"] == "RECORD" and one.get("version")}
    assert written >= set(edited)
    assert any("begins anew" in note for note in last.audit()["tasks"]["notes"])
