"""`meltano run tap-copper target-duckdb`, twice, with changes in between."""

# ruff: noqa: D103  (the name of a test is its sentence)
from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import duckdb
import pytest

from scripts.demo_compare import compare
from scripts.demo_crms import COPPER

if TYPE_CHECKING:
    from pathlib import Path

    from sandbox.client import Client
    from scripts.demo_compare import Comparison
    from tests.meltano.project import Project


@dataclass(frozen=True)
class Loads:
    """What was compared after each step."""

    first: list[Comparison]
    changed: list[Comparison]
    second: list[Comparison]
    database: Path

    def audit(self, question: str) -> list[tuple[object, ...]]:
        """Ask the loaded audit, in which the runs are numbered."""
        runs = "SELECT *, dense_rank() OVER (ORDER BY run_id) AS run FROM copper.sync_audit"
        with duckdb.connect(str(self.database), read_only=True) as connection:
            rows: list[tuple[object, ...]] = connection.execute(f"WITH audit AS ({runs}) {question}").fetchall()
        return rows


@pytest.fixture(scope="module")
def loads(project: Project, crm: Client) -> Loads:
    """Load everything, change the account, load again."""
    database = project.folder / "output" / "crm.duckdb"
    project.load("target-duckdb", crm.url)
    first = compare(COPPER, crm, database)
    for change in COPPER.changes:
        crm.control(change.verb, change.order)
    changed = compare(COPPER, crm, database)
    project.load("target-duckdb", crm.url)
    return Loads(first, changed, compare(COPPER, crm, database), database)


def test_the_first_run_loads_every_record_of_every_table(loads: Loads) -> None:
    assert [one for one in loads.first if not one.equal] == []


def test_the_comparison_sees_what_changed_since(loads: Loads) -> None:
    behind = {one.table for one in loads.changed if not one.equal}
    assert behind == {"people", "companies", "opportunities", "leads", "activities"}


def test_the_second_run_loads_what_changed(loads: Loads) -> None:
    assert [one for one in loads.second if not one.equal] == []


def test_the_second_run_reads_only_what_changed(loads: Loads) -> None:
    rows = loads.audit("SELECT run, mode, sum(records) FROM audit WHERE stream = 'people' GROUP BY ALL ORDER BY run")
    (first, _, all_of_them), (second, _, changed) = rows
    assert (first, second) == (1, 2)
    assert (all_of_them, changed) == (300, 40 + 12 + 5)  # edited, created, and converted from leads


def test_the_audit_calls_every_stream_of_both_runs_complete(loads: Loads) -> None:
    rows = loads.audit("SELECT run, count(*), bool_and(complete) FROM audit GROUP BY run ORDER BY run")
    assert rows == [(1, len(COPPER.tables), True), (2, len(COPPER.tables), True)]


def test_streams_that_cost_a_request_per_record_are_left_out(loads: Loads) -> None:
    assert loads.audit("SELECT stream FROM audit WHERE stream IN ('files', 'related_items', 'related_links')") == []


@pytest.fixture(scope="module")
def printed(project: Project) -> str:
    """Give what Meltano prints of the extractor's settings, some of them set for its parent."""
    return project.meltano(
        "config",
        "print",
        "tap-copper",
        TAP_CRM_USER_EMAIL="someone@example.com",
        TAP_COPPER_API_KEY="key-0123",
        TAP_CRM_ACCESS_TOKEN="token-45",
    )


def test_an_inherited_extractor_reads_the_settings_of_its_parent_too(printed: str) -> None:
    assert '"user_email": "someone@example.com"' in printed


def test_secrets_are_not_printed(printed: str) -> None:
    assert '"api_key"' in printed
    assert "key-0123" not in printed
    assert "token-45" not in printed
