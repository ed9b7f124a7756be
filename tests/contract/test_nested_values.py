"""`nested_values`: a stream that was loaded keeps the form of its objects and arrays, whatever the setting says now."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from sandbox.server import running
from tests.contract.conftest import tap_for
from tests.contract.test_forms_for_loaders import UNLISTED, is_nested, properties
from tests.singer import only, untold

if TYPE_CHECKING:
    from pathlib import Path

    from tests.contract.conftest import CatalogOf
    from tests.contract.crm import Crm
    from tests.singer import Run, Tap

FORMS = ("typed", "text")
_AS_TEXT: dict[str, dict[str, Any]] = {}


def is_typed(run: Run, stream: str) -> bool:
    """Tell whether the target is told of any object or array in a stream."""
    return any(map(is_nested, run.schemas[stream]["schema"]["properties"].values()))


def catalogs_of(crm: Crm, tap: Tap, catalog_of: CatalogOf) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what discovery finds in each form, once: streams of each way in which records are written."""
    streams = (*crm.telling, *crm.written, "sync_audit")
    if crm.name not in _AS_TEXT:
        _AS_TEXT[crm.name] = only(tap.discover(nested_values="text")[0], *streams)
    return only(catalog_of(crm), *streams), _AS_TEXT[crm.name]


@pytest.mark.parametrize("first", FORMS)
def test_a_stream_that_was_loaded_keeps_its_form(crm: Crm, first: str, tmp_path: Path, catalog_of: CatalogOf) -> None:
    """With the state, whichever form the catalog was made with; without a state, the setting counts."""
    other = next(form for form in FORMS if form != first)
    app = crm.app(crm.shape, rate_limit=0, **crm.knobs)
    with running(app) as url:
        tap = tap_for(crm, url, tmp_path)
        catalogs = catalogs_of(crm, tap, catalog_of)
        before = tap.sync(nested_values=first, catalog=catalogs[0])
        runs = [tap.sync(nested_values=other, state=untold(before.state), catalog=one) for one in catalogs]
        if crm.name == UNLISTED:
            runs.append(tap.sync(nested_values=other, state=untold(before.state)))
    written = [stream for stream in before.schemas if stream != "sync_audit" and before.records(stream)]
    assert written
    for stream in written:
        assert is_typed(before, stream) == (first == "typed")
        for run in runs:
            assert run.schemas[stream]["schema"]["properties"] == before.schemas[stream]["schema"]["properties"], stream
            for record in run.records(stream):
                nested = [name for name, value in record.items() if isinstance(value, (dict, list))]
                assert first == "typed" or not nested, (stream, nested)
    assert all("were loaded in the other form and keep it" in run.log for run in runs)
    assert "were loaded in the other form and keep it" not in before.log


def test_child_tables_have_the_same_rows_in_both_forms(crm: Crm, tmp_path: Path) -> None:
    """Their rows are made of what the CRM sent, not of the text; a value of any shape is JSON text in them as well."""
    app = crm.app(crm.few, rate_limit=0, **crm.knobs)
    with running(app) as url:
        tap = tap_for(crm, url, tmp_path)
        found, _ = tap.discover(child_tables=["*"])
        names = [entry["tap_stream_id"] for entry in found["streams"]]
        chosen = only(found, *crm.telling, *(name for name in names if name.startswith(crm.written)))
        typed, text = (tap.sync(nested_values=form, child_tables=["*"], catalog=chosen) for form in FORMS)
    tables = [stream for stream in typed.schemas if "__" in stream and "value" in properties(typed, stream)]
    assert tables
    for stream in tables:
        values = [[record.get("value") for record in run.records(stream)] for run in (typed, text)]
        if is_nested(properties(typed, stream)["value"]):
            values[1] = [None if value is None else json.loads(value) for value in values[1]]
        assert sorted(map(repr, values[0])) == sorted(map(repr, values[1])), stream


def test_a_state_of_an_earlier_version_keeps_types(crm: Crm, tmp_path: Path, catalog_of: CatalogOf) -> None:
    """It has no word of the form: what is there was loaded with types."""
    app = crm.app(crm.shape, rate_limit=0, **crm.knobs)
    with running(app) as url:
        tap = tap_for(crm, url, tmp_path)
        catalog, _ = catalogs_of(crm, tap, catalog_of)
        before = tap.sync(catalog=catalog)
        assert "nested_values" not in json.dumps(before.state)
        after = tap.sync(nested_values="text", state=untold(before.state), catalog=catalog)
    assert all(
        is_typed(after, stream) == is_typed(before, stream) for stream in before.schemas if stream != "sync_audit"
    )
