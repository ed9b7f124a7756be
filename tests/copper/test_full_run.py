"""A first run loads every record of every stream, exactly, and costs hardly more than one request per page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

from sandbox.copper import CopperSandbox, Shape, copper_app
from sandbox.server import running
from tap_crm.shaping.moments import to_epoch
from tests.copper.conftest import SMALL, tap_for
from tests.copper.truth import CONTRACT, SEARCHED
from tests.singer import CHANGED, Run, merged

if TYPE_CHECKING:
    from tests.copper.conftest import Start

LARGE = {
    "people": 10_200,
    "companies": 450,
    "opportunities": 450,
    "leads": 300,
    "activities": 1_000,
    "tasks": 100,
    "projects": 50,
}
#: Records of a page that are new: its last one comes again on the next page.
NEW = 199
#: Requests that a stream may cost besides its pages: one for what changed since the reading began, and one for each
#: further part of more than fifty pages that is read side by side.
BESIDES = {"people": 2, "companies": 1, "opportunities": 1, "activities": 1}


def validator(schema: dict[str, Any]) -> jsonschema.Draft202012Validator:
    """Return a validator that checks formats too."""
    return jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker())


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> tuple[CopperSandbox, Run]:
    """Return a small account, and what a first run writes of it."""
    app = copper_app(Shape(**SMALL), rate_limit=0)
    with running(app) as url:
        return app, tap_for(url, tmp_path_factory.mktemp("small")).sync()


@pytest.mark.timeout(280)
def test_a_large_account_arrives_whole_at_one_request_a_page(start_some: Start) -> None:
    """Every id in its version, a sample with every value; the small account below has all values."""
    app, tap = start_some(SEARCHED, LARGE)
    run = tap.sync()
    for stream in SEARCHED:
        arrived = merged(stream, run)
        truth = {(one["id"],): one for one in app.account.records(stream)}
        assert arrived.keys() == truth.keys(), stream
        for key, record in arrived.items():
            for name in CHANGED:
                assert to_epoch(record.get(name)) == truth[key].get(name), (stream, key)
        check = validator(run.schemas[stream]["schema"])
        for key in list(truth)[::50]:
            check.validate(arrived[key])
            assert arrived[key] == CONTRACT.as_it_should_arrive(stream, truth[key]), (stream, key)
    audit = run.audit()
    assert all(row["complete"] and row["unexplained"] == 0 for row in audit.values())
    for stream, besides in BESIDES.items():
        pages = -(-LARGE[stream] // NEW)
        assert audit[stream]["requests"] <= pages + besides, stream
        assert audit[stream]["distinct_ids"] == len(app.account.ids(stream))


def test_secrets_that_the_crm_hands_out_are_masked(small: tuple[CopperSandbox, Run]) -> None:
    """The names of a webhook's secret and headers arrive, their values never leave the tap."""
    app, run = small
    truth = {hook["id"]: hook for hook in app.account.records("webhooks")}
    hooks = run.records("webhooks")
    assert {hook["id"] for hook in hooks} == truth.keys()
    hidden = [value for hook in truth.values() for value in (hook.get("secret") or {}).values()]
    assert hidden
    for hook in hooks:
        assert (hook.get("secret") or {}).keys() == (truth[hook["id"]].get("secret") or {}).keys()
        assert not set((hook.get("secret") or {}).values()) & set(hidden)
        assert set((hook.get("headers") or {}).values()) <= {"********"}


def test_layouts_come_for_each_entity_and_each_pipeline_of_opportunities(small: tuple[CopperSandbox, Run]) -> None:
    """Their key is entity, pipeline and field; only opportunities have a pipeline."""
    app, run = small
    pipelines = {pipeline["id"] for pipeline in app.account.records("pipelines")}
    keys = run.keys("field_layouts")
    assert len(keys) == run.count("field_layouts") > 0
    assert {key[1] for key in keys if key[0] == "opportunities"} == pipelines
    assert {key[1] for key in keys if key[0] != "opportunities"} == {0}
    assert {key[0] for key in keys} == {"people", "companies", "leads", "opportunities", "projects", "tasks"}


def test_converted_leads_are_read_too(small: tuple[CopperSandbox, Run]) -> None:
    """They leave the default search; a tap that does not ask for them loses them."""
    app, run = small
    converted = [lead for lead in app.account.records("leads") if lead.get("converted_at")]
    arrived = {lead["id"] for lead in run.records("leads") if lead.get("converted_at")}
    assert converted
    assert arrived == {lead["id"] for lead in converted}
