"""Child tables, and an endpoint as the docs declare it, in DuckDB: what SQL finds is what the CRM has."""

# ruff: noqa: D103  (the name of a test is its sentence)
from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from sandbox.copper import Shape, copper_app
from sandbox.server import running
from scripts.demo_copper import COPPER
from tests.endpoints.test_examples import EXAMPLES
from tests.meltano.databases import InDuckDb
from tests.meltano.piped import Piped

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandbox.copper import CopperSandbox
    from tests.meltano.databases import Rows
    from tests.meltano.project import Project

SHAPE = Shape(people=60, companies=12, opportunities=3, leads=3, projects=3, tasks=3, activities=60, custom_fields=1)
STREAMS = ("people", "people__emails", "people__tags", "company_activities")
VARIABLES = {"TAP_COPPER_CHILD_TABLES": '["emails", "tags"]', "TAP_COPPER_ENDPOINTS": EXAMPLES["copper"]}


@dataclass(frozen=True)
class Loads:
    """What SQL found after a run, and after one that went on from there; and what the CRM had then."""

    found: list[dict[str, Rows]]
    truth: list[dict[str, Rows]]


QUESTIONS = {
    "people__emails": "SELECT people_id, _position, email, category FROM copper.people__emails",
    "people__tags": "SELECT people_id, _position, value FROM copper.people__tags",
}


def _truth(app: CopperSandbox) -> dict[str, Rows]:
    people = app.account.records("people")
    emails = [(one["id"], at, e["email"], e["category"]) for one in people for at, e in enumerate(one["emails"])]
    tags = [(one["id"], at, tag) for one in people for at, tag in enumerate(one["tags"])]
    return {"people__emails": sorted(emails), "people__tags": sorted(tags)}


@pytest.fixture(scope="module")
def loads(project: Project, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Loads]:
    app = copper_app(SHAPE, rate_limit=0)
    database = InDuckDb(project.folder / "output" / "children.duckdb")
    there = "_sdc_deleted_at IS NULL"

    def found() -> dict[str, Rows]:
        return {name: sorted(database.ask(f"{question} WHERE {there}")) for name, question in QUESTIONS.items()}

    with running(app) as url:
        loading = Piped(project, tmp_path_factory.mktemp("children"), COPPER, url, (database,), STREAMS)
        loading.run(**VARIABLES)
        first, truth = found(), _truth(app)
        endpoint = "SELECT id, company_id FROM copper.company_activities"
        first["company_activities"] = sorted(database.ask(endpoint))
        truth["company_activities"] = sorted(
            (one["id"], one["parent"]["id"])
            for one in app.account.records("activities")
            if one["parent"]["type"] == "company"
        )
        _edit(app)
        loading.run(**VARIABLES)
        yield Loads([first, found()], [truth, _truth(app)])


def _edit(app: CopperSandbox) -> None:
    """Make arrays longer, shorter and empty."""
    chosen: list[Any] = [one["id"] for one in app.account.records("people") if one["emails"]][:6]
    for at, record in enumerate(chosen):
        emails = [{"email": f"{at}.{number}@example.com", "category": "work"} for number in range(at % 4)]
        app.account.edit("people", ids=[record], changes={"emails": emails, "tags": ["a", "b"][: at % 3]})


@pytest.mark.parametrize("table", [*QUESTIONS, "company_activities"])
def test_the_first_run_loads_all_of_them(loads: Loads, table: str) -> None:
    assert loads.truth[0][table]
    assert loads.found[0][table] == loads.truth[0][table]


@pytest.mark.parametrize("table", QUESTIONS)
def test_the_second_run_leaves_no_place_that_an_array_lost(loads: Loads, table: str) -> None:
    assert loads.truth[1][table] != loads.truth[0][table]
    assert loads.found[1][table] == loads.truth[1][table]
