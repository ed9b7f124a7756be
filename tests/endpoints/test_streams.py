"""A declared stream is read as exactly as the others, whichever way its list goes on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from sandbox.faults import FaultRule, Kind
from tests.endpoints.cases import CASES, Case

if TYPE_CHECKING:
    from tests.endpoints.conftest import Start
    from tests.singer import Run, Tap

pytestmark = pytest.mark.usefixtures("unmeasured")
each_case = pytest.mark.parametrize("case", CASES.values(), ids=CASES)
FAULTS: list[Kind] = ["429", "503", "cut_json", "null", "html", "drop"]


def catalog_of(case: Case, **schema: Any) -> dict[str, Any]:  # noqa: ANN401
    """Return a catalog with the declared stream alone, as discovery would have it."""
    keys = case.endpoint["keys"]
    parent = case.endpoint.get("parent")
    names = [*keys, *([parent["as"]] if parent else []), "record"]
    return {
        "streams": [
            {
                "tap_stream_id": case.stream,
                "stream": case.stream,
                "key_properties": keys,
                "schema": {"type": "object", "properties": {name: {} for name in names}, **schema},
                "metadata": [{"breadcrumb": [], "metadata": {"selected": True, "table-key-properties": keys}}],
            }
        ]
    }


def discovered(tap: Tap, case: Case) -> dict[str, Any]:
    """Return what discovery says of the declared stream and of the audit."""
    found, _ = tap.discover(endpoints=[case.endpoint])
    wanted = (case.stream, "sync_audit")
    return {"streams": [entry for entry in found["streams"] if entry["tap_stream_id"] in wanted]}


def read(tap: Tap, case: Case, catalog: dict[str, Any], **options: Any) -> Run:  # noqa: ANN401
    """Read the declared stream."""
    return tap.sync(catalog=catalog, endpoints=[case.endpoint], **options)


@each_case
def test_a_declared_stream_brings_all_there_is(start: Start, case: Case) -> None:
    """Discovery shows it, a run reads it whole, and it takes no more requests than the list needs."""
    app, tap = start(case.crm)
    run = read(tap, case, discovered(tap, case))
    assert run.keys(case.stream) == case.truth(app)
    row = run.audit()[case.stream]
    assert row["complete"]
    assert row["requests"] <= case.requests
    assert run.messages[-1]["type"] in ("STATE", "RECORD")
    assert [message["stream"] for message in run.messages if message["type"] == "ACTIVATE_VERSION"] == [case.stream]


@each_case
def test_broken_answers_cost_no_record(start: Start, case: Case) -> None:
    """Two of three answers of the list are broken at first, each in another way: all records come."""
    app, tap = start(case.crm)
    app.behaviour.faults.append(FaultRule(FAULTS, at=[1, 2, 4, 5, 7, 8, 10], path=case.path, retry_after=0.1))
    run = read(tap, case, catalog_of(case))
    assert run.keys(case.stream) == case.truth(app)


@each_case
def test_an_endpoint_that_stays_broken_fails_by_name(start: Start, case: Case) -> None:
    """Exit code 1: nothing is told to be gone."""
    app, tap = start(case.crm)
    app.behaviour.faults.append(FaultRule(["503"], every=1, path=case.path))
    run = read(tap, case, catalog_of(case), expect=1, retry_seconds=1)
    assert f"not complete: {case.stream}" in run.log
    assert not [message for message in run.messages if message["type"] == "ACTIVATE_VERSION"]


def test_a_record_has_its_parent(start: Start) -> None:
    """The parent's value is a column of the child."""
    case = CASES["copper parent"]
    app, tap = start("copper")
    run = read(tap, case, discovered(tap, case))
    parents = {one["id"]: one["parent"]["id"] for one in app.account.records("activities")}
    assert {one["id"]: one["company_id"] for one in run.records(case.stream)}.items() <= parents.items()
    assert all(one["record"]["parent"]["type"] == "company" for one in run.records(case.stream))


INCREMENTAL = {
    "stream": "edited_people",
    "path": "/people/search",
    "method": "POST",
    "body": {"sort_by": "date_created"},
    "paging": "page",
    "size": 20,
    "keys": ["id"],
    "replication_key": "date_modified",
    "since_param": "minimum_modified_date",
    "since_format": "epoch",
}


def test_an_incremental_endpoint_brings_what_changed(start: Start) -> None:
    """The bookmark is the server's time less the overlap; edits arrive by the next run, and only these."""
    case = Case("copper", INCREMENTAL, CASES["copper page"].truth, 3, "people/search")
    app, tap = start("copper")
    catalog = discovered(tap, case)
    first = read(tap, case, catalog)
    assert first.keys(case.stream) == case.truth(app)
    edited = {(key,) for key in app.account.edit("people", count=7)}
    second = read(tap, case, catalog, state=first.state, overlap_seconds=0)
    assert edited <= second.keys(case.stream)
    assert second.count(case.stream) <= len(edited) + 5
    assert second.audit()[case.stream]["mode"] == "incremental"


def test_a_schema_makes_columns_and_what_it_does_not_know_is_kept(start: Start) -> None:
    """Times become ISO 8601; other fields are in `_extra`."""
    endpoint = {
        **CASES["copper page"].endpoint,
        "schema": {
            "type": "object",
            "properties": {
                "id": {"type": "integer"},
                "name": {"type": ["string", "null"]},
                "date_created": {"type": ["string", "null"], "format": "date-time"},
            },
        },
    }
    case = Case("copper", endpoint, CASES["copper page"].truth, 3, "people/search")
    _, tap = start("copper")
    run = read(tap, case, discovered(tap, case))
    record = run.records(case.stream)[0]
    assert record["date_created"].endswith("Z")
    assert record["_extra"]["date_modified"]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"keys": ["uid"]}, "the records have no `uid`, which `keys` names; they have: `id`"),
        ({"records": "rows"}, "the answer has no `rows`, where its `records` should be"),
        ({"path": "/nothing_there"}, "not found (404)"),
    ],
)
def test_what_the_answer_contradicts_is_said_at_once(start: Start, change: dict[str, Any], says: str) -> None:
    """One line that names the stream; no record is written."""
    case = Case("copper", {**CASES["copper none"].endpoint, **change}, CASES["copper none"].truth, 1, "")
    app, tap = start("copper")
    run = read(tap, case, catalog_of(case), expect=1)
    assert says in run.log
    assert not run.records(case.stream)
    assert app.stats.requests <= 4


def test_a_path_that_no_parent_has_is_said(start: Start) -> None:
    """Not an empty stream: the declaration is wrong."""
    endpoint = {**CASES["copper parent"].endpoint, "path": "/companies/{id}/calls", "method": "GET"}
    case = Case("copper", endpoint, CASES["copper parent"].truth, 9, "")
    _, tap = start("copper")
    run = read(tap, case, catalog_of(case), expect=1)
    assert "does not exist for any record of companies" in run.log


def test_a_forbidden_endpoint_fails_and_is_not_left_out(start: Start) -> None:
    """The user asked for it in so many words: a run without a catalog does not end with 0."""
    _, tap = start("copper", forbidden=["customer_sources"])
    run = tap.sync(endpoints=[CASES["copper none"].endpoint], expect=1)
    assert "not complete: sources" in run.log


@pytest.mark.parametrize("as_text", [True, False])
def test_a_wrong_setting_ends_the_run_before_any_request(start: Start, as_text: bool) -> None:
    """One line, exit code 1; the setting may be JSON text."""
    app, tap = start("copper")
    entry = '[{"stream": "x", "path": "/people", "method": "POST", "keys": ["id"]}]' if as_text else [{"stream": "x"}]
    run = tap.sync(endpoints=entry, expect=1)
    assert ("may write" if as_text else "the endpoint `x`: `path` is missing") in run.log
    assert app.stats.requests == 0
    assert "Traceback" not in run.log
