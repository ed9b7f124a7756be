"""`nested_values`: a stream that was loaded keeps the form of its objects and arrays, whatever the setting says now."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from sandbox.server import running
from tests.contract.conftest import tap_for
from tests.contract.test_forms_for_loaders import is_nested, properties
from tests.singer import untold

if TYPE_CHECKING:
    from pathlib import Path

    from tests.contract.crm import Crm
    from tests.singer import Run

FORMS = ("typed", "text")


def is_typed(run: Run, stream: str) -> bool:
    """Tell whether the target is told of any object or array in a stream."""
    return any(map(is_nested, run.schemas[stream]["schema"]["properties"].values()))


@pytest.mark.parametrize("first", FORMS)
def test_a_stream_that_was_loaded_keeps_its_form(crm: Crm, first: str, tmp_path: Path) -> None:
    """With the state, whichever form the catalog was made with; without a state, the setting counts."""
    other = next(form for form in FORMS if form != first)
    app = crm.app(crm.few, rate_limit=0, **crm.knobs)
    with running(app) as url:
        tap = tap_for(crm, url, tmp_path)
        before = tap.sync(nested_values=first)
        after = tap.sync(nested_values=other, state=untold(before.state))
        catalog, _ = tap.discover(nested_values=other)
        by_catalog = tap.sync(nested_values=other, state=untold(before.state), catalog=catalog)
    written = [stream for stream in before.schemas if stream != "sync_audit" and before.records(stream)]
    assert written
    for stream in written:
        assert is_typed(before, stream) == (first == "typed")
        for run in (after, by_catalog):
            assert run.schemas[stream]["schema"]["properties"] == before.schemas[stream]["schema"]["properties"], stream
            for record in run.records(stream):
                nested = [name for name, value in record.items() if isinstance(value, (dict, list))]
                assert first == "typed" or not nested, (stream, nested)
    assert "were loaded in the other form and keep it" in after.log
    assert "were loaded in the other form and keep it" not in before.log


def test_child_tables_have_the_same_rows_in_both_forms(crm: Crm, tmp_path: Path) -> None:
    """Their rows are made of what the CRM sent, not of the text; a value of any shape is JSON text in them as well."""
    app = crm.app(crm.few, rate_limit=0, **crm.knobs)
    with running(app) as url:
        tap = tap_for(crm, url, tmp_path)
        typed, text = (tap.sync(nested_values=form, child_tables=["*"]) for form in FORMS)
    tables = [stream for stream in typed.schemas if "__" in stream and "value" in properties(typed, stream)]
    assert tables
    for stream in tables:
        values = [[record.get("value") for record in run.records(stream)] for run in (typed, text)]
        if is_nested(properties(typed, stream)["value"]):
            values[1] = [None if value is None else json.loads(value) for value in values[1]]
        assert sorted(map(repr, values[0])) == sorted(map(repr, values[1])), stream


def test_a_state_of_an_earlier_version_keeps_types(crm: Crm, tmp_path: Path) -> None:
    """It has no word of the form: what is there was loaded with types."""
    app = crm.app(crm.few, rate_limit=0, **crm.knobs)
    with running(app) as url:
        tap = tap_for(crm, url, tmp_path)
        before = tap.sync()
        assert "nested_values" not in json.dumps(before.state)
        after = tap.sync(nested_values="text", state=untold(before.state))
    assert all(
        is_typed(after, stream) == is_typed(before, stream) for stream in before.schemas if stream != "sync_audit"
    )
