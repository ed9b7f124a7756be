"""A first run loads every record of every stream, exactly, and costs hardly more than one request per page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

from tests.copper.truth import LISTED, SEARCHED, differences
from tests.singer import merged

if TYPE_CHECKING:
    from tests.copper.conftest import Start

LARGE = {
    "people": 20_000,
    "companies": 5_000,
    "opportunities": 5_000,
    "leads": 3_000,
    "activities": 20_000,
    "tasks": 2_000,
    "projects": 500,
}
#: Requests per 1,000 records that a stream of many pages may cost; 5 would be perfect.
DEAREST = 5.3


def validator(schema: dict[str, Any]) -> jsonschema.Draft202012Validator:
    """Return a validator that checks formats too."""
    return jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker())


@pytest.mark.timeout(280)
def test_a_large_account_arrives_whole_at_one_request_a_page(start: Start) -> None:
    """Every id, every value; a sample of the records is validated, the small account below validates all."""
    app, tap = start(LARGE)
    run = tap.sync()
    for stream in SEARCHED:
        assert differences(app.world, stream, merged(stream, run)) == {}, stream
        check = validator(run.schemas[stream]["schema"])
        for record in run.records(stream)[::50]:
            check.validate(record)
    audit = run.audit()
    assert all(row["complete"] and row["unexplained"] == 0 for row in audit.values())
    for stream in ("people", "companies", "opportunities", "activities"):
        cost = audit[stream]["requests"] / audit[stream]["records"] * 1000
        assert cost <= DEAREST, (stream, cost)
        assert audit[stream]["distinct_ids"] == len(app.world.ids(stream))


def test_every_record_of_every_stream_is_valid_and_equal_to_the_truth(start: Start) -> None:
    """The small lists as well, by their own keys."""
    app, tap = start()
    run = tap.sync()
    for stream in (*SEARCHED, *LISTED):
        check = validator(run.schemas[stream]["schema"])
        for record in run.records(stream):
            check.validate(record)
        if stream not in ("webhooks", "field_layouts"):  # these have tests of their own
            keys = tuple(run.schemas[stream]["key_properties"])
            assert differences(app.world, stream, merged(stream, run), keys) == {}, stream


def test_secrets_that_the_crm_hands_out_are_masked(start: Start) -> None:
    """The names of a webhook's secret and headers arrive, their values never leave the tap."""
    app, tap = start()
    run = tap.sync()
    truth = {hook["id"]: hook for hook in app.world.records("webhooks")}
    hooks = run.records("webhooks")
    assert {hook["id"] for hook in hooks} == truth.keys()
    hidden = [value for hook in truth.values() for value in (hook.get("secret") or {}).values()]
    assert hidden
    for hook in hooks:
        assert (hook.get("secret") or {}).keys() == (truth[hook["id"]].get("secret") or {}).keys()
        assert not set((hook.get("secret") or {}).values()) & set(hidden)
        assert set((hook.get("headers") or {}).values()) <= {"********"}


def test_layouts_come_for_each_entity_and_each_pipeline_of_opportunities(start: Start) -> None:
    """Their key is entity, pipeline and field; only opportunities have a pipeline."""
    app, tap = start()
    run = tap.sync()
    pipelines = {pipeline["id"] for pipeline in app.world.records("pipelines")}
    keys = run.keys("field_layouts")
    assert len(keys) == run.count("field_layouts") > 0
    assert {key[1] for key in keys if key[0] == "opportunities"} == pipelines
    assert {key[1] for key in keys if key[0] != "opportunities"} == {0}
    assert {key[0] for key in keys} == {"people", "companies", "leads", "opportunities", "projects", "tasks"}


def test_converted_leads_are_read_too(start: Start) -> None:
    """They leave the default search; a tap that does not ask for them loses them."""
    app, tap = start()
    run = tap.sync()
    converted = [lead for lead in app.world.records("leads") if lead.get("converted_at")]
    arrived = {lead["id"] for lead in run.records("leads") if lead.get("converted_at")}
    assert converted
    assert arrived == {lead["id"] for lead in converted}
