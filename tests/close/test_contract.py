"""The tap asks for what Close documents, and for nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from sandbox.close.contract import LISTED, template_of
from tests.close.truth import CHANGING, differences
from tests.close.truth import LISTED as LISTED_STREAMS
from tests.singer import merged, selecting

if TYPE_CHECKING:
    from sandbox.close import CloseSandbox
    from sandbox.simulator import Moment
    from tests.close.conftest import Start

FEW: dict[str, Any] = {
    "leads": 12,
    "contacts": 12,
    "opportunities": 12,
    "tasks": 12,
    "activities": 60,
    "events": 45,
    "custom_fields": 3,
    "custom_objects": 5,
    "comments": 5,
    "sequence_subscriptions": 6,
}
#: Streams of which later runs ask in other ways than the first one.
AGAIN = (*CHANGING, "notes", "meetings", "import_updates", "events")
#: What Close's OpenAPI document lacks, and another page of its documentation has (event log; activities; forms).
OTHER_PAGES = {("event", "_cursor")}
OTHER_PATHS = {"activity/import_update", "form"}
#: One kind of record of the document is two parts of the path where it is a type's; they take no parameters.
TYPED_SCHEMAS = ("custom_field_schema/activity/", "custom_field_schema/custom_object/")
#: The page on advanced filtering.
SEARCH_KEYS = {"query", "_fields", "sort", "_limit", "include_counts", "cursor"}


def undocumented(app: CloseSandbox) -> set[tuple[str, str]]:
    """Return the paths that were asked with a parameter that is not documented for them, each with its name."""
    found: set[tuple[str, str]] = set()
    for one in app.stats.log:
        if one.path == "data/search":
            found.update((one.path, name) for name in msgspec.json.decode(one.body).keys() - SEARCH_KEYS)
        elif (template := template_of(one.path)) is not None:
            found.update((template, name) for name in one.query.keys() - LISTED[template])
        elif one.path.startswith(TYPED_SCHEMAS):
            found.update((one.path, name) for name in one.query)
        elif one.path not in OTHER_PATHS or not one.query.keys() <= LISTED["activity/note"]:
            found.add((one.path, ", ".join(one.query)))
    return found - OTHER_PAGES


def test_every_request_has_documented_parameters_only(start: Start) -> None:
    """Discovery, a first run of every stream, one after changes, and a reconcile."""
    app, tap = start(FEW, limit_caps={"activity": 10, "event": 20, "data/search": 10})
    found, _ = tap.discover()
    first = tap.sync(catalog=selecting(found, *(entry["tap_stream_id"] for entry in found["streams"])))
    catalog = selecting(found, *AGAIN)
    for stream in ("leads", "notes", "opportunities", "tasks"):
        app.account.edit(stream, count=2)
        app.account.delete(stream, count=1)
    second = tap.sync(catalog=catalog, state=first.state)
    tap.sync(catalog=catalog, state=second.state, reconcile="true")
    assert undocumented(app) == set()
    asked = {template_of(one.path) or one.path for one in app.stats.log}
    assert {"custom_field/shared", "comment", "custom_object", "activity/note", "data/search", "group/{id}"} <= asked


def refusing(*names: str, path: str) -> Any:  # noqa: ANN401
    """Return what refuses parameters of a path, as Close does with those that it does not know."""

    def refuse(moment: Moment) -> None:
        given = [name for name in names if name in moment.request.query]
        if moment.answer is not None and moment.request.path.startswith(path) and given:
            moment.answer.status = 400
            told = {"errors": [], "field-errors": {given[0]: "Unknown field."}}
            moment.answer.body = msgspec.json.encode(told)

    return refuse


@pytest.mark.parametrize(
    ("stream", "path", "many"),
    [
        ("custom_fields", "custom_field/lead", {"custom_fields": 120}),
        ("opportunities", "opportunity", {"opportunities": 120}),
        ("notes", "activity", {"activities": {"notes": 120}}),
    ],
    ids=["custom_fields", "opportunities", "notes"],
)
def test_a_list_that_takes_no_number_of_rows_is_read_without(
    start_some: Start, stream: str, path: str, many: dict[str, Any]
) -> None:
    """It is refused once, and then asked for as it is given."""
    app, tap = start_some((stream,), {**FEW, **many})
    app.on_answer(refusing("_limit", path=path))
    run = tap.sync()
    assert differences(app.account, stream, merged(stream, run)) == {}
    assert run.audit()[stream]["complete"]
    assert app.stats.by_status["400"] == 1


def test_a_list_that_takes_no_page_at_all_is_named_where_it_says_that_there_is_more(start_some: Start) -> None:
    """What is behind the first page cannot be asked for; the other streams are complete."""
    app, tap = start_some(("outcomes", "playbooks"), {**FEW, "small_lists": 105})
    app.on_answer(refusing("_limit", "_skip", path="outcome"))
    run = tap.sync(expect=1)
    assert "`outcomes` is not complete" in run.log
    assert "_skip: Unknown field." in run.log
    audit = run.audit()
    assert not audit["outcomes"]["complete"]
    assert audit["playbooks"]["complete"]


def test_lists_that_are_not_documented_to_come_in_pages_may_do_so(start_some: Start) -> None:
    """The tap goes on where an answer says that there is more."""
    app, tap = start_some(LISTED_STREAMS, {**FEW, "small_lists": 105}, unlisted_paging="honoured")
    run = tap.sync()
    for stream in LISTED_STREAMS:
        assert differences(app.account, stream, merged(stream, run)) == {}, stream
    assert all(row["complete"] for row in run.audit().values())


@pytest.mark.parametrize("kind", ["shared", "lead"])
def test_a_refused_list_of_definitions_costs_its_own_fields_only(start: Start, kind: str) -> None:
    """The columns of the other list are there, and what was refused is said; its values are in `_extra`."""
    app, tap = start(FEW)
    tap.config["custom_fields"] = "columns"

    def refuse(moment: Moment) -> None:
        if moment.answer is not None and moment.request.path == f"custom_field/{kind}":
            moment.answer.status = 400
            moment.answer.body = b'{"error": "This is not how to ask."}'

    app.on_answer(refuse)
    found, _ = tap.discover()
    run = tap.sync(catalog=selecting(found, "leads", "custom_fields", "sync_audit"), expect=1)
    audit = run.audit()
    assert audit["leads"]["complete"]
    assert not audit["custom_fields"]["complete"]
    ids = {one["id"]: one["object_type"] for one in app.account.records("custom_fields")}
    columns = [schema.get("description", "") for schema in run.schemas["leads"]["schema"]["properties"].values()]
    of = {ids[key] for key in ids if any(f"Custom field {key}," in text for text in columns)}
    assert of == {"shared", "lead"} - {kind}
    (note,) = [text for text in audit["leads"]["notes"] if "no columns for some custom fields" in text]
    assert f"definitions of custom fields of {kind}" in note
    assert "This is not how to ask." in note
    assert {record["object_type"] for record in run.records("custom_fields")} == {*ids.values()} - {kind}
    assert any(record.get("_extra") for record in run.records("leads"))
