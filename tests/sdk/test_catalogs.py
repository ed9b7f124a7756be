"""A catalog that records cannot fit is refused by name; where each value has a form in it, that form is emitted."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator

from tests.sdk.accounts import CRMS, account
from tests.singer import only

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.sdk.accounts import Account

STREAM = "people"


@pytest.fixture(scope="module")
def copper(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Account, dict[str, Any]]]:
    """Serve an account, with a catalog of one stream."""
    with account("copper", tmp_path_factory.mktemp("catalogs")) as opened:
        yield opened, only(opened.tap.discover()[0], STREAM)


def _drop_keys(entry: dict[str, Any]) -> None:
    del entry["key_properties"]
    entry["metadata"][-1]["metadata"].pop("table-key-properties", None)
    for part in entry["metadata"]:
        part["metadata"].pop("table-key-properties", None)


def _drop_replication_key(entry: dict[str, Any]) -> None:
    del entry["replication_key"]
    for part in entry["metadata"]:
        part["metadata"].pop("replication-key", None)


def _retype(name: str, schema: Any) -> Callable[[dict[str, Any]], None]:  # noqa: ANN401
    return lambda entry: entry["schema"]["properties"].update({name: schema})


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (_drop_keys, "`key_properties` of stream `people` are not id"),
        (lambda entry: entry.update(key_properties=["name"]), "`key_properties` of stream `people` are not id"),
        (lambda entry: entry["schema"]["properties"].pop("id"), "stream `people` lacks the key `id`"),
        (lambda entry: entry["schema"]["properties"].pop("date_modified"), "`people` lacks the key `date_modified`"),
        (_drop_replication_key, "replication key of stream `people` must be `date_modified`"),
        (lambda entry: entry.update(replication_key="date_created"), "`people` must be `date_modified`"),
        (lambda entry: entry.update(schema={}), "stream `people` lacks the key `id`"),
        (lambda entry: entry.pop("schema"), "stream `people` lacks the key `id`"),
        (lambda entry: entry.update(schema=[]), "schema of stream `people` is no object"),
        (lambda entry: entry.update(stream="persons"), "`people` by another name in `stream`"),
        (lambda entry: entry.update(metadata={}), "metadata of stream `people` is no list"),
        (lambda entry: entry.pop("tap_stream_id"), "an entry has no `tap_stream_id`"),
        (_retype("name", {"type": [{}]}), "schema of stream `people` is no JSON schema"),
        (_retype("name", 7), "schema of stream `people` is no JSON schema"),
        (_retype("address", {"type": "object", "properties": ["city"]}), "of stream `people` is no JSON schema"),
        (_retype("emails", {"type": "array", "items": "text"}), "schema of stream `people` is no JSON schema"),
        (_retype("name", {"type": "string", "format": []}), "schema of stream `people` is no JSON schema"),
        (lambda entry: entry.update(key_properties=[7]), "keys of stream `people` are no names"),
        (lambda entry: entry.update(replication_key={}), "keys of stream `people` are no names"),
        (lambda entry: entry["metadata"][0].update(breadcrumb=[["x"]]), "metadata of stream `people` is no list"),
        (_retype("\ud800", {"type": "string"}), "halves of characters"),
        (_retype("interaction_count", {"type": ["boolean", "null"]}), "gives `people.interaction_count` a type"),
        (_retype("name", {"type": ["integer", "null"]}), "gives `people.name` a type"),
        (_retype("date_created", {"type": ["string", "null"], "format": "date"}), "gives `people.date_created` a type"),
        (_retype("address", {"type": ["array", "null"]}), "gives `people.address` a type"),
    ],
)
def test_a_catalog_that_records_cannot_fit_is_refused_by_name(
    copper: tuple[Account, dict[str, Any]], change: Callable[[dict[str, Any]], Any], said: str
) -> None:
    """In one line, before anything is written."""
    opened, catalog = copper
    changed = json.loads(json.dumps(catalog))
    change(changed["streams"][0])
    run = opened.tap.sync(catalog=changed, expect=1)
    assert said in run.log
    assert "Traceback" not in run.log
    assert run.messages == []


@pytest.mark.parametrize("catalog", [[], "people", {"streams": {}}, {"streams": [5]}, {}])
def test_what_is_no_catalog_is_refused(copper: tuple[Account, dict[str, Any]], catalog: Any) -> None:  # noqa: ANN401
    """In one line."""
    opened, _ = copper
    command = [*opened.tap.command(), "--catalog", opened.tap.write("catalog", catalog)]
    run = opened.tap.call(command)
    assert run.code == 1
    said = "the catalog has another form than" if isinstance(catalog, dict) else "is no JSON object"
    assert said in run.log
    assert "Traceback" not in run.log


@pytest.mark.parametrize("crm", CRMS)
def test_every_value_has_a_form_as_text(tmp_path: Path, crm: str) -> None:
    """Numbers, lists and objects of fixed columns; the keys and the replication key keep their types."""
    with account(crm, tmp_path) as opened:
        stream = "members" if crm == "copera" else opened.stream
        catalog = only(opened.tap.discover()[0], stream)
        plain = opened.tap.sync(catalog=catalog)
        entry = catalog["streams"][0]
        kept = {*entry["key_properties"], entry.get("replication_key")}
        for name in entry["schema"]["properties"].keys() - kept:
            entry["schema"]["properties"][name] = {"type": "string"}
        run = opened.tap.sync(catalog=catalog)
    check = Draft202012Validator(run.schemas[stream]["schema"])
    assert run.count(stream) == plain.count(stream) > 0
    for before, record in zip(plain.records(stream), run.records(stream), strict=True):
        check.validate(record)
        for name in (
            name for name in before.keys() - kept if not name.startswith("custom_")
        ):  # these go by definitions
            value, found = before[name], record[name]
            if value is None or isinstance(value, str):
                assert found == value
            else:
                assert json.loads(found, parse_float=Decimal) == value
