"""Records that refer to others of their own stream, such as people and their managers, whatever their order."""

# ruff: noqa: D103  (the name of a test is its sentence)
from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.target_crm.close_account import CloseAccount, close_account
from tests.target_crm.running import Bench, records, state

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

STREAMS = {
    "contacts": {"match": ["key"], "external_id": "custom_our_key", "fields": {"manager": "custom_manager"}},
}


@pytest.fixture
def account() -> Iterator[CloseAccount]:
    """An account whose contacts have a custom field that leads to another contact."""
    with close_account() as account:
        account.define("contact", "Manager", "contact")
        yield account


def _managers(account: CloseAccount) -> dict[str, str | None]:
    """By name, the name of each contact's manager."""
    field = next(one["id"] for one in account.app.account.lists["custom_fields"] if one["name"] == "Manager")
    rows = account.rows("contacts")
    names = {row["id"]: row["name"] for row in rows}
    assert len(set(names.values())) == len(rows), "none is there twice"
    return {row["name"]: names.get(row.get(f"custom.{field}")) for row in rows}


def _people(account: CloseAccount, managers: dict[str, str | None]) -> list[dict[str, Any]]:
    lead = account.add("leads", name="Acme")["id"]
    rows = [{"key": key, "lead_id": lead, "name": key, "manager": above} for key, above in managers.items()]
    return [*records("contacts", *rows), state(1)]


@pytest.mark.parametrize(
    "managers",
    [
        {"Ann": "Bea", "Bea": "Cy", "Cy": None},
        {"Cy": None, "Bea": "Cy", "Ann": "Bea"},
        {"Ann": "Bea", "Bea": "Ann"},
        {"Ann": "Ann"},
    ],
)
def test_people_whose_managers_come_in_the_same_stream_are_written_with_them(
    tmp_path: Path, account: CloseAccount, managers: dict[str, str | None]
) -> None:
    bench = Bench(tmp_path, account, account.credentials)
    given = _people(account, managers)
    for outcome in ("created", "unchanged"):
        done = bench.run(given, streams=STREAMS)
        assert (done.code, done.outcomes, done.states) == (0, {outcome: len(managers)}, [{"at": 1}]), done.lines
        assert _managers(account) == managers


def test_a_manager_who_comes_in_the_next_run_completes_what_was_rejected(tmp_path: Path, account: CloseAccount) -> None:
    bench = Bench(tmp_path, account, account.credentials)
    done = bench.run(_people(account, {"Ann": "Bea", "Bea": "Zoe"}), streams=STREAMS)
    assert (done.code, done.outcomes) == (1, {"rejected": 2})
    assert "`Zoe` is neither an id" in done.by_key()["Bea"]["reason"]
    again = bench.run(_people(account, {"Zoe": None}), streams=STREAMS)
    assert again.code == 0, again.lines
    assert _managers(account) == {"Ann": "Bea", "Bea": "Zoe", "Zoe": None}
