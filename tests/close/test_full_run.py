"""A first run loads every record of every stream, exactly, and costs hardly more than one request per page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

from tests.close.truth import ACTIVITIES, CHANGING, SEARCHED, differences
from tests.singer import merged

if TYPE_CHECKING:
    from tests.close.conftest import Start

LARGE = {"leads": 300, "contacts": 300, "opportunities": 200, "tasks": 200, "activities": 1_500, "custom_fields": 2}
SMALL = {"leads": 25, "contacts": 25, "opportunities": 20, "tasks": 3, "activities": {"custom_activities": 25}}
#: An eighth of what Close gives: requests are counted, of a small part of a large account.
PAGES = {"data/search": 25, "opportunity": 25, "task": 25, "activity": 12}
#: A page brings one less than it has: it begins with one that is known.
NEW_LEADS, NEW_ACTIVITIES = PAGES["data/search"] - 1, PAGES["activity"] - 1
#: Beside the pages of leads: what tells how long a page is, the custom fields, whose key this is, and the end.
BESIDE = 5
#: Of activities, each window has a page that is not full; one question is refused since its page would be too long, and
#: one may be asked again where several share a second.
ASKED_AGAIN = 2


def validator(schema: dict[str, Any]) -> jsonschema.Draft202012Validator:
    """Return a validator that checks formats too."""
    return jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker())


def test_a_large_account_arrives_whole_at_one_request_a_page(start_some: Start) -> None:
    """Every id, every value; a sample of the records is validated."""
    app, tap = start_some((*CHANGING, *ACTIVITIES), LARGE, limit_caps=PAGES)
    run = tap.sync()
    for stream in (*CHANGING, *ACTIVITIES):
        assert differences(app.account, stream, merged(stream, run)) == {}, stream
        check = validator(run.schemas[stream]["schema"])
        for record in run.records(stream)[::20]:
            check.validate(record)
    audit = run.audit()
    assert all(row["complete"] and row["unexplained"] == 0 for row in audit.values())
    assert all(audit[stream]["distinct_ids"] == len(app.account.ids(stream)) for stream in (*CHANGING, *ACTIVITIES))
    costs = {stream: audit[stream]["requests"] for stream in (*CHANGING, *ACTIVITIES)}
    needed = {one: -(-audit[one]["records"] // NEW_LEADS) + BESIDE for one in SEARCHED}
    needed |= {
        one: -(-audit[one]["records"] // NEW_ACTIVITIES) + audit[one]["windows"] + ASKED_AGAIN for one in ACTIVITIES
    }
    assert {one: (costs[one], needed[one]) for one in needed if costs[one] > needed[one]} == {}


def test_what_is_nested_in_leads_does_not_come_twice(start_some: Start) -> None:
    """Contacts, opportunities and tasks are streams of their own."""
    app, tap = start_some(("leads",), SMALL)
    run = tap.sync()
    assert app.account.records("leads")[0].keys() >= {"contacts", "opportunities", "tasks"}
    assert not any({"contacts", "opportunities", "tasks", "_extra"} & lead.keys() for lead in run.records("leads"))
    assert any(lead["contact_ids"] for lead in run.records("leads"))


@pytest.mark.parametrize("fields", [2, 105])
def test_values_of_custom_fields_are_gathered_by_id(start_some: Start, fields: int) -> None:
    """Also where there are more of them than can be named one by one; records without any have an empty object."""
    streams = ("leads", "contacts", "opportunities", "custom_activities")
    app, tap = start_some((*streams, "custom_fields"), {**SMALL, "custom_fields": fields})
    run = tap.sync()
    defined = {record["id"] for record in run.records("custom_fields")}
    for stream in streams:
        found = [record["custom_fields"] for record in run.records(stream)]
        assert set().union(*found) <= defined
        assert any(found)
        assert ({} in found) == (fields == 2)
        assert differences(app.account, stream, merged(stream, run)) == {}
