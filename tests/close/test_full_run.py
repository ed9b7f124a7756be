"""A first run loads every record of every stream, exactly, and costs hardly more than one request per page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

from tests.close.truth import ACTIVITIES, CHANGING, SEARCHED, differences
from tests.singer import merged

if TYPE_CHECKING:
    from tests.close.conftest import Start

LARGE = {"leads": 4_000, "contacts": 4_000, "opportunities": 3_000, "tasks": 3_000, "activities": 18_000}
SMALL = {"leads": 120, "contacts": 120, "opportunities": 60, "tasks": 60, "activities": 300, "events": 60}
#: Requests per 1,000 records of pages of 200; 5 would be perfect.
DEAREST = 5.5
#: The same of pages of 100, for all activities; 10 would be perfect.
DEAREST_ACTIVITIES = 11
#: For each type of which there are many: a page brings 99 new ones, since it begins with one that is known; each window
#: has a page that is not full, and one may be asked for again where several share a second.
NEW_ON_A_PAGE, ASKED_AGAIN, MANY = 99, 1, 1_000


def validator(schema: dict[str, Any]) -> jsonschema.Draft202012Validator:
    """Return a validator that checks formats too."""
    return jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker())


@pytest.mark.timeout(280)
def test_a_large_account_arrives_whole_at_one_request_a_page(start: Start) -> None:
    """Every id, every value; a sample of the records is validated, the small account below validates all."""
    app, tap = start({**LARGE, "custom_fields": 2})
    run = tap.sync()
    for stream in (*CHANGING, *ACTIVITIES):
        assert differences(app.account, stream, merged(stream, run)) == {}, stream
        check = validator(run.schemas[stream]["schema"])
        for record in run.records(stream)[::100]:
            check.validate(record)
    audit = run.audit()
    assert all(row["complete"] and row["unexplained"] == 0 for row in audit.values())
    assert all(audit[stream]["distinct_ids"] == len(app.account.ids(stream)) for stream in (*CHANGING, *ACTIVITIES))
    costs = {stream: _cost(audit, stream) for stream in (*CHANGING, *ACTIVITIES)}
    assert max(costs[stream] for stream in SEARCHED) <= DEAREST, costs
    assert _cost(audit, *ACTIVITIES) <= DEAREST_ACTIVITIES, costs
    big = [stream for stream in ACTIVITIES if audit[stream]["records"] >= MANY]
    assert len(big) > 5
    needed = {one: -(-audit[one]["records"] // NEW_ON_A_PAGE) + audit[one]["windows"] for one in big}
    more = {one: audit[one]["requests"] - needed[one] for one in big if audit[one]["requests"] > needed[one]}
    assert max(more.values(), default=0) <= ASKED_AGAIN, (more, costs)


def _cost(audit: dict[str, dict[str, Any]], *streams: str) -> float:
    """Return the requests per 1,000 records."""
    requests, records = (sum(int(audit[one][name]) for one in streams) for name in ("requests", "records"))
    return 1000 * requests / records


def test_what_is_nested_in_leads_does_not_come_twice(start_some: Start) -> None:
    """Contacts, opportunities and tasks are streams of their own."""
    app, tap = start_some(("leads",), SMALL)
    run = tap.sync()
    assert app.account.records("leads")[0].keys() >= {"contacts", "opportunities", "tasks"}
    assert not any({"contacts", "opportunities", "tasks", "_extra"} & lead.keys() for lead in run.records("leads"))
    assert any(lead["contact_ids"] for lead in run.records("leads"))


@pytest.mark.parametrize("fields", [2, 150])
def test_values_of_custom_fields_are_gathered_by_id(start: Start, fields: int) -> None:
    """Also where there are more of them than can be named one by one; records without any have an empty object."""
    app, tap = start({**SMALL, "custom_fields": fields})
    run = tap.sync()
    defined = {record["id"] for record in run.records("custom_fields")}
    for stream in ("leads", "contacts", "opportunities", "custom_activities"):
        found = [record["custom_fields"] for record in run.records(stream)]
        assert set().union(*found) <= defined
        assert any(found)
        assert ({} in found) == (fields == 2)
        assert differences(app.account, stream, merged(stream, run)) == {}
