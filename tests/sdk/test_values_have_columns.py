"""Under every setting of the SDK, each value of a RECORD has a property in its SCHEMA, and is the one that was read."""

from __future__ import annotations

import gzip
import json
from contextlib import ExitStack
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from jsonschema import Draft202012Validator

from tests.sdk.accounts import CRMS, Account, account
from tests.singer import selecting

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.singer import Record, Run

#: Differ from run to run.
AUDIT = "sync_audit"
ABSENT = object()


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], tuple[Account, dict[str, Any], Run]]]:
    """Return a function that serves an account, with everything selected, and a run without any of the settings."""
    with ExitStack() as stack:

        @cache
        def serve(crm: str) -> tuple[Account, dict[str, Any], Run]:
            served = stack.enter_context(account(crm, tmp_path_factory.mktemp(crm)))
            catalog = served.tap.discover(custom_fields="both")[0]
            everything = selecting(catalog, *(entry["tap_stream_id"] for entry in catalog["streams"]))
            return served, everything, served.tap.sync(catalog=everything, custom_fields="both")

        yield serve


def misfits(run: Run) -> dict[str, str]:
    """Return what is wrong with the records of each stream by its SCHEMA."""
    found: dict[str, str] = {}
    for stream, message in run.schemas.items():
        check = Draft202012Validator(message["schema"])
        for record in run.records(stream):
            unknown = record.keys() - message["schema"]["properties"].keys()
            error = next(check.iter_errors(json.loads(json.dumps(record, default=float))), None)
            if unknown or error is not None:
                found[stream] = f"{sorted(unknown)} {error.message if error else ''}"
    return found


def in_order(run: Run, stream: str) -> list[Record]:
    """Return the records of a stream in the order of their keys: those of a parent come as the CRM lists parents."""
    keys = run.schemas[stream]["key_properties"]
    return sorted(run.records(stream), key=lambda record: [str(record[key]) for key in keys])


def value_at(flat: Record, path: list[str], value: Any) -> Any:  # noqa: ANN401 - any JSON
    """Return what flattened columns hold of a value: itself, or it again from JSON text, or from those below it."""
    column = "__".join(path)
    if column in flat:
        found = flat[column]
        is_text = isinstance(found, str) and not isinstance(value, str)
        return json.loads(found, parse_float=Decimal) if is_text else found
    if isinstance(value, dict):
        return {name: value_at(flat, [*path, name], part) for name, part in value.items()}
    below = [found for name, found in flat.items() if name.startswith(f"{column}__")]
    return None if value is None and set(below) == {None} else ABSENT


@pytest.mark.parametrize("crm", CRMS)
def test_flattened_records_hold_every_value(
    opened: Callable[[str], tuple[Account, dict[str, Any], Run]], crm: str
) -> None:
    """Objects whose fields are not declared, and lists, are JSON text; no value is lost, none changed."""
    served, catalog, plain = opened(crm)
    wishes: dict[str, Any] = {"flattening_enabled": True, "flattening_max_depth": 2, "custom_fields": "both"}
    run = served.tap.sync(catalog=catalog, **wishes)
    assert misfits(run) == {}
    assert run.schemas.keys() == plain.schemas.keys()
    for stream in plain.schemas.keys() - {AUDIT}:
        assert run.count(stream) == plain.count(stream)
        for before, flat in zip(in_order(plain, stream), in_order(run, stream), strict=True):
            assert {name: value_at(flat, [name], value) for name, value in before.items()} == before, stream
            assert not any(isinstance(value, (dict, list)) for value in flat.values())


@pytest.mark.parametrize("crm", ["copper", "copera"])
def test_mapped_records_fit_the_schema_of_their_map(
    opened: Callable[[str], tuple[Account, dict[str, Any], Run]], crm: str
) -> None:
    """An alias, a second stream of the same records, no key, all but the named fields taken out, in each stream."""
    served, catalog, plain = opened(crm)
    streams = sorted(plain.schemas.keys() - {AUDIT})
    maps: dict[str, Any] = {}
    for stream in streams:
        keys = plain.schemas[stream]["key_properties"]
        maps[stream] = {"__alias__": f"all_{stream}", "source": "'here'"}
        maps[f"keys_{stream}"] = {"__source__": stream, "__else__": None, **{key: key for key in keys}}
        maps[f"loose_{stream}"] = {"__source__": stream, "__key_properties__": [], "_extra": None}
    run = served.tap.sync(catalog=catalog, custom_fields="both", stream_maps=maps)
    assert misfits(run) == {}
    for stream in streams:
        keys = plain.schemas[stream]["key_properties"]
        only_keys = [{key: record[key] for key in keys} for record in in_order(plain, stream)]
        assert in_order(run, f"keys_{stream}") == only_keys
        assert run.schemas[f"loose_{stream}"]["key_properties"] == []
        assert run.count(f"all_{stream}") == run.count(f"loose_{stream}") == plain.count(stream)
        assert all(record["source"] == "here" for record in run.records(f"all_{stream}"))


def test_batch_files_hold_the_records(
    opened: Callable[[str], tuple[Account, dict[str, Any], Run]], tmp_path: Path
) -> None:
    """The same as RECORD lines do, under the same SCHEMA."""
    served, catalog, plain = opened("copper")
    tap = served.tap.given(catalog)
    tap.inside = False  # the SDK leaves a file open
    run = tap.sync(
        catalog=catalog,
        custom_fields="both",
        batch_config={
            "encoding": {"format": "jsonl", "compression": "gzip"},
            "storage": {"root": tmp_path.as_uri()},
        },
    )
    assert {name: message["schema"] for name, message in run.schemas.items()} == {
        name: message["schema"] for name, message in plain.schemas.items()
    }
    records: dict[str, list[Record]] = {}
    for message in run.messages:
        if message["type"] == "BATCH":
            files = [Path(urlsplit(name).path) for name in message["manifest"]]
            lines = [line for file in files for line in gzip.decompress(file.read_bytes()).splitlines()]
            records.setdefault(message["stream"], []).extend(json.loads(line, parse_float=Decimal) for line in lines)
    for stream, message in plain.schemas.items():
        read = sorted(
            records.get(stream, []), key=lambda record: [str(record[key]) for key in message["key_properties"]]
        )
        assert stream == AUDIT or read == in_order(plain, stream), stream
