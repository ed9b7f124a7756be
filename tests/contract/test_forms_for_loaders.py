"""The settings by which records take a form that every loader takes: no content is lost by any of them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

import jsonschema
import pytest

from sandbox.server import running
from tap_crm.providers import PROVIDERS
from tap_crm.shaping.free_objects import Texts, with_texts
from tap_crm.shaping.schema import load_schema
from tests.contract.conftest import tap_for
from tests.contract.crms import CRMS
from tests.singer import only

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.contract.crm import Crm
    from tests.singer import Key, Record, Run

TEXT = {"free_objects": "text"}
NESTED = {"nested_values": "text"}
WHOLE = {**TEXT, "missing_properties": "null"}
UNVERSIONED = {"activate_versions": False}
#: The CRM whose account is read without a catalog: it has the fewest streams.
UNLISTED = "pebble"


@dataclass(frozen=True)
class Runs:
    """First runs on one account: with the usual settings, and with others."""

    usual: Run
    text: Run
    nested: Run
    whole: Run
    unversioned: Run


@pytest.fixture(scope="module", params=list(CRMS.values()), ids=list(CRMS))
def runs(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Runs:
    """Return what each setting makes of an account in which some records have fields that nobody knows."""
    crm: Crm = request.param
    app = crm.app({**crm.few, **crm.everything}, rate_limit=0, **crm.knobs)
    with running(app) as url:
        tap = tap_for(crm, url, tmp_path_factory.mktemp(crm.name), custom_fields="both")
        unknown = crm.add_unknown(app)
        catalog = only(tap.discover()[0], *crm.telling, *crm.written, *unknown, "sync_audit")
        given = None if crm.name == UNLISTED else catalog
        return Runs(*(tap.sync(catalog=given, **config) for config in ({}, TEXT, NESTED, WHOLE, UNVERSIONED)))


def is_free(part: Record) -> bool:
    """Tell whether a schema has an object or a list whose parts it does not declare."""
    types = {part["type"]} if isinstance(part.get("type"), str) else set(part.get("type") or ())
    if not types - {"null"} or len(types - {"null"}) > 1:
        return True
    if "object" in types:
        return not part.get("properties") or any(map(is_free, part["properties"].values()))
    return "array" in types and is_free(part.get("items") or {})


def is_nested(part: Record) -> bool:
    """Tell whether a schema has an object or a list, with parts that it declares or without."""
    types = {part["type"]} if isinstance(part.get("type"), str) else set(part.get("type") or ())
    return is_free(part) or bool(types & {"object", "array"})


def properties(run: Run, stream: str) -> Record:
    """Return what the target is told of a stream."""
    found: Record = run.schemas[stream]["schema"]["properties"]
    return found


def by_key(run: Run, stream: str) -> dict[Key, Record]:
    """Return the records of a stream."""
    return {run._key(stream, record): record for record in run.records(stream)}  # noqa: SLF001


def streams(run: Run) -> list[str]:
    """Return the streams whose records are the same in each run."""
    return [stream for stream in run.schemas if stream != "sync_audit"]


def test_as_text_no_stream_has_an_object_of_any_shape(runs: Runs) -> None:
    """In no depth; as usual, some have."""
    for run, has_any in ((runs.usual, True), (runs.text, False), (runs.whole, False)):
        found = [(s, name) for s in run.schemas for name, part in properties(run, s).items() if is_free(part)]
        assert bool(found) == has_any, found[:5]


def test_nested_values_as_text_leave_no_object_and_no_array(runs: Runs) -> None:
    """Only the audit keeps its list of notes; as JSON text of free objects only, arrays stay."""
    for run, has_any in ((runs.text, True), (runs.nested, False)):
        found = [(s, name) for s in streams(run) for name, part in properties(run, s).items() if is_nested(part)]
        assert bool(found) == has_any, found[:5]


@pytest.mark.parametrize("crm", list(PROVIDERS))
def test_of_no_schema_file_an_object_is_left(crm: str) -> None:
    """Of those streams too that these runs do not read."""
    for stream in PROVIDERS[crm].streams:
        known = load_schema(crm, stream.name)["properties"]
        for texts, is_left in ((Texts.FREE, is_free), (Texts.NESTED, is_nested)):
            told = with_texts(known, texts.among(known))
            assert [name for name, part in told.items() if is_left(part)] == [], (stream.name, texts)


@pytest.mark.parametrize(("name", "is_text"), [("text", is_free), ("nested", is_nested), ("whole", is_free)])
def test_text_says_what_the_object_does(runs: Runs, name: str, is_text: Callable[[Record], bool]) -> None:
    """Whichever way a record is written, and unknown fields as well; nothing else is another value."""
    run: Run = getattr(runs, name)
    seen = set()
    for stream in streams(runs.usual):
        texts = {one for one, part in properties(runs.usual, stream).items() if is_text(part)}
        written, usual = by_key(run, stream), by_key(runs.usual, stream)
        assert written.keys() == usual.keys()
        for key, record in usual.items():
            for field in record.keys() | written[key].keys():
                value, found = record.get(field), written[key].get(field)
                if field in texts and value is not None:
                    seen.add(field)
                    found = json.loads(str(found), parse_float=Decimal)
                assert found == value, (stream, field)
    assert "_extra" in seen
    assert len(seen) > 1


def test_text_fits_its_schema(runs: Runs) -> None:
    """Every record of every stream."""
    for run in (runs.text, runs.nested, runs.whole):
        for stream, message in run.schemas.items():
            check = jsonschema.Draft202012Validator(message["schema"])
            for record in run.records(stream):
                check.validate(record)


def test_whole_records_have_every_property_in_the_order_of_the_schema(runs: Runs) -> None:
    """The audit too: a writer of lines of values cannot put one under another's heading."""
    for stream in runs.whole.schemas:
        names = list(properties(runs.whole, stream))
        assert all(list(record) == names for record in runs.whole.records(stream)), stream
    assert any(
        list(record) != list(properties(runs.usual, stream))
        for stream in streams(runs.usual)
        for record in runs.usual.records(stream)
    )


def test_without_versions_no_message_has_one(runs: Runs) -> None:
    """Neither is a version begun that no message ends; `whole_since` tells SQL what is gone."""
    assert any(message["type"] == "ACTIVATE_VERSION" for message in runs.usual.messages)
    assert not any(message["type"] == "ACTIVATE_VERSION" for message in runs.unversioned.messages)
    assert not any("version" in message for message in runs.unversioned.messages)
    usual, other = runs.usual.audit(), runs.unversioned.audit()
    assert {s for s, row in usual.items() if row["whole_since"]} == {
        s for s, row in other.items() if row["whole_since"]
    }
    for stream in streams(runs.usual):
        assert by_key(runs.unversioned, stream) == by_key(runs.usual, stream)
