"""Custom fields as columns of real databases: types as their kinds want, values equal to the truth, and changes."""

# ruff: noqa: D103  (the name of a test is its sentence)
from __future__ import annotations

import json
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest

from sandbox import close, copper
from sandbox.server import running
from scripts.demo_run import CRMS
from tests import custom_truth
from tests.custom_truth import BOOLEAN, DATE, LIST, MOMENT, NUMBER, TEXT, TEXTS
from tests.meltano.databases import MADE
from tests.meltano.piped import Piped

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from sandbox.simulator import Simulator
    from tests.custom_truth import Field
    from tests.meltano.databases import Loaded
    from tests.meltano.project import Project
    from tests.postgres import Server
    from tests.singer import Record

STREAMS = {"copper": ("people", "companies"), "close": ("leads", "contacts")}
_FEW: dict[str, dict[str, Any]] = {
    "copper": dict.fromkeys(("leads", "opportunities", "projects", "tasks", "activities", "tags"), 5),
    "close": dict.fromkeys(("opportunities", "tasks", "events", "sequence_subscriptions", "custom_objects"), 5)
    | {"activities": 20},
}
APPS: dict[str, Callable[[], Simulator]] = {
    "copper": lambda: copper.copper_app(copper.Shape(people=150, companies=60, **_FEW["copper"]), rate_limit=0),
    "close": lambda: close.close_app(replace(close.SMALL, leads=60, contacts=90, **_FEW["close"]), rate_limit=0),
}
#: The type that each loader gives a column, by what the SCHEMA says of it.
TYPES: dict[str, list[tuple[Record, str]]] = {
    "target-postgres": [
        *((TEXT, "text"), (NUMBER, "numeric"), (BOOLEAN, "boolean"), (DATE, "date")),
        *((MOMENT, "timestamp without time zone"), (TEXTS, "text[]"), (LIST, "jsonb[]")),
    ],
    "target-duckdb": [
        *((TEXT, "VARCHAR"), (NUMBER, "DOUBLE"), (BOOLEAN, "BOOLEAN"), (DATE, "VARCHAR")),
        *((MOMENT, "TIMESTAMP"), (TEXTS, "JSON"), (LIST, "JSON")),
    ],
}
#: What an option is called later.
RENAMED = {"copper": "Freistaat Bayern", "close": "Süden 🌞"}
EACH_CRM = pytest.mark.parametrize("crm", STREAMS)
EACH_LOADER = pytest.mark.parametrize("loader", MADE)
Values = dict[str, dict[str, object]]
"""What records have of custom fields: by the record's id, then the field's."""


@dataclass
class Account:
    """A served account that has custom fields of every kind."""

    name: str
    app: Any

    @property
    def truth(self) -> custom_truth.Crm:
        """What should arrive."""
        return custom_truth.Copper(self.app.account) if self.name == "copper" else custom_truth.Close(self.app.account)

    def values(self, stream: str) -> Values:
        """Return what each record has of each field, null too."""
        fields = self.truth.fields(stream)
        found: Values = {}
        for (key,), record in self.truth.expected(stream).items():
            values = self.truth.values(record["custom_fields"])
            found[str(key)] = {
                number: None if (value := values.get(number)) is None else _plain(field.schema, field.read(value))
                for number, field in fields.items()
            }
        return found

    def change(self) -> dict[str, list[str]]:
        """Rename a field, retype and add one, rename an option, edit some records; returns these."""
        change = self.app.account.change
        if self.name == "copper":
            change("rename_field", {"id": self.number("people", "Homepage"), "name": "Website"})
            change(
                "add_field", {"name": "Färbung", "data_type": "MultiSelect", "options": ["rot", "grün"], "fill": True}
            )
            change("retype_field", {"id": self.number("people", "Score", "Float"), "data_type": "String"})
            region = self.number("people", "Region", "Dropdown")
            definitions = self.app.account.records("custom_field_definitions")
            (options,) = [one["options"] for one in definitions if one["id"] == region]
            option = next(one["id"] for one in options if one["name"] == "Bayern")
            change("rename_option", {"id": region, "option": option, "name": RENAMED["copper"]})
        else:
            for kind in ("lead", "contact"):
                added = {"object_type": kind, "name": "Färbung", "type": "number", "fill": True}
                change("add_field", added)
            for stream in self.streams:
                change("rename_field", {"id": self.number(stream, "Notes"), "name": "Remarks"})
                change("retype_field", {"id": self.number(stream, "Größe (m²)", "number"), "type": "text"})
                region = self.number(stream, "Region", "choices")
                used = Counter(row[region] for row in self.values(stream).values() if row[region])
                (choice, _), *_ = used.most_common(1)
                change("rename_choice", {"id": region, "choice": choice, "new": RENAMED["close"]})
        return {stream: [str(one) for one in change("edit", self._edit(stream))] for stream in self.streams}

    def _edit(self, stream: str) -> Record:
        """Return the order to edit some records; of those that have the renamed option, if there are any, one is."""
        values = self.values(stream)
        having = [key for key, row in values.items() if RENAMED[self.name] in row.values()]
        ids = [*having[:1], *[key for key in values if key not in having][:24]]
        return {"object": stream, "ids": [int(one) for one in ids] if self.name == "copper" else ids}

    def number(self, stream: str, label: str, kind: str = "") -> Any:  # noqa: ANN401 - as the CRM has it
        """Return the id of the first field of that name and kind."""
        fields = self.truth.fields(stream).values()
        found = next(one.key for one in fields if one.label == label and one.kind.startswith(kind))
        return int(found) if self.name == "copper" else found

    @property
    def streams(self) -> tuple[str, ...]:
        """The streams that are loaded."""
        return STREAMS[self.name]


@dataclass
class Load:
    """What one load left in a database, and what the CRM had then."""

    fields: dict[str, dict[str, Field]]
    columns: dict[str, dict[str, str]]
    types: dict[str, dict[str, str]]
    values: dict[str, Values]
    truth: dict[str, Values]


@dataclass
class Loads:
    """A load, and another one after custom fields have changed."""

    first: Load
    second: Load
    edited: dict[str, list[str]]


@pytest.fixture(scope="module")
def loaded(
    project: Project, server: Server, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[..., Loads]]:
    """Load an account twice by all loaders; once for all tests."""
    with ExitStack() as stack:

        @cache
        def load(crm: str) -> dict[str, Loads]:
            folder = tmp_path_factory.mktemp("custom")
            app = APPS[crm]()
            url = stack.enter_context(running(app))
            account = Account(crm, app)
            databases = {loader: made(server, folder / "crm.duckdb") for loader, made in MADE.items()}
            loading = Piped(project, folder, CRMS[crm], url, tuple(databases.values()), STREAMS[crm])
            loading.run()
            first = _looked_at(account, databases, loading.state)
            edited = account.change()
            loading.run()
            second = _looked_at(account, databases, loading.state)
            return {loader: Loads(first[loader], second[loader], edited) for loader in MADE}

        yield lambda crm, loader: load(crm)[loader]


@EACH_CRM
@EACH_LOADER
def test_every_custom_field_has_a_column(loaded: Callable[..., Loads], crm: str, loader: str) -> None:
    first = loaded(crm, loader).first
    for stream in STREAMS[crm]:
        assert first.columns[stream].keys() == first.fields[stream].keys()
        assert set(first.columns[stream].values()) <= first.types[stream].keys()
        assert len(set(first.columns[stream].values())) == len(first.columns[stream]) >= 20


@EACH_CRM
@EACH_LOADER
def test_a_column_has_the_type_of_its_kind(loaded: Callable[..., Loads], crm: str, loader: str) -> None:
    first = loaded(crm, loader).first
    for stream in STREAMS[crm]:
        for number, field in first.fields[stream].items():
            assert first.types[stream][first.columns[stream][number]] == _type(loader, field.schema), field


@EACH_CRM
@EACH_LOADER
def test_every_value_of_every_row_is_the_truth(loaded: Callable[..., Loads], crm: str, loader: str) -> None:
    first = loaded(crm, loader).first
    for stream in STREAMS[crm]:
        assert _different(first.values[stream], _kept(loader, first.truth[stream])) == {}


@EACH_CRM
def test_duckdb_has_null_for_an_empty_text_that_postgresql_keeps(loaded: Callable[..., Loads], crm: str) -> None:
    for stream in STREAMS[crm]:
        kept = {
            loader: {
                (key, number)
                for key, row in loaded(crm, loader).first.values[stream].items()
                for number, value in row.items()
                if not value and isinstance(value, str)
            }
            for loader in MADE
        }
        assert kept["target-postgres"]
        assert not kept["target-duckdb"]


@EACH_CRM
@EACH_LOADER
def test_every_column_has_values_and_nulls(loaded: Callable[..., Loads], crm: str, loader: str) -> None:
    first = loaded(crm, loader).first
    for stream in STREAMS[crm]:
        for number, field in first.fields[stream].items():
            found = [row[number] for row in first.values[stream].values()]
            assert None in found, field
            assert found != [None] * len(found), field


@EACH_CRM
@EACH_LOADER
def test_a_renamed_a_retyped_and_an_added_field_get_new_columns_beside_the_old_ones(
    loaded: Callable[..., Loads], crm: str, loader: str
) -> None:
    first, second = loaded(crm, loader).first, loaded(crm, loader).second
    for stream in STREAMS[crm]:
        old, new = first.types[stream], second.types[stream]
        assert new.keys() > old.keys()
        assert {name: new[name] for name in old} == old
        (added,) = second.fields[stream].keys() - first.fields[stream].keys()
        (renamed,) = [
            number
            for number, field in first.fields[stream].items()
            if field.label != second.fields[stream][number].label
        ]
        (retyped,) = [
            number
            for number, field in first.fields[stream].items()
            if field.schema != second.fields[stream][number].schema
        ]
        assert {second.columns[stream][one] for one in (added, renamed, retyped)} == new.keys() - old.keys()
        for one in (added, retyped):
            assert new[second.columns[stream][one]] == _type(loader, second.fields[stream][one].schema)


@EACH_CRM
@EACH_LOADER
def test_records_that_were_read_again_have_the_values_of_now(
    loaded: Callable[..., Loads], crm: str, loader: str
) -> None:
    second, edited = loaded(crm, loader).second, loaded(crm, loader).edited
    for stream in STREAMS[crm]:
        assert len(edited[stream]) == 25
        truth = _kept(loader, _only(second.truth[stream], edited[stream]))
        assert _different(_only(second.values[stream], edited[stream]), truth) == {}


@EACH_CRM
@EACH_LOADER
def test_a_renamed_option_has_its_new_label_in_records_that_were_read_again_only(
    loaded: Callable[..., Loads], crm: str, loader: str
) -> None:
    loads = loaded(crm, loader)
    for stream in STREAMS[crm]:
        having = {key for key, row in loads.second.values[stream].items() if RENAMED[crm] in row.values()}
        assert having
        assert having <= set(loads.edited[stream])
        there = {key for key, row in loads.second.truth[stream].items() if RENAMED[crm] in row.values()}
        assert there - having


@EACH_CRM
@EACH_LOADER
def test_rows_that_were_not_read_again_keep_what_they_had_and_lack_the_new_columns(
    loaded: Callable[..., Loads], crm: str, loader: str
) -> None:
    loads = loaded(crm, loader)
    for stream in STREAMS[crm]:
        columns, before = loads.second.columns[stream], loads.first.columns[stream]
        kept = [number for number, name in columns.items() if before.get(number) == name]
        others = loads.first.values[stream].keys() - set(loads.edited[stream])
        for key in others:
            old, new = loads.first.values[stream][key], loads.second.values[stream][key]
            assert new == dict.fromkeys(columns) | {number: old[number] for number in kept}


def _looked_at(account: Account, databases: dict[str, Loaded], state: Any) -> dict[str, Load]:  # noqa: ANN401 - JSON
    """Read what is in each database, and what should be; the state says which column each field has."""
    streams, schema = account.streams, account.name
    columns = {stream: state["bookmarks"][stream]["custom_fields"] for stream in streams}
    fields = {stream: account.truth.fields(stream) for stream in streams}
    truth = {stream: account.values(stream) for stream in streams}
    types = {loader: database.column_types(schema) for loader, database in databases.items()}
    return {
        loader: Load(
            fields,
            columns,
            {stream: types[loader][stream] for stream in streams},
            {stream: _values(database, f"{schema}.{stream}", columns[stream], fields[stream]) for stream in streams},
            truth,
        )
        for loader, database in databases.items()
    }


def _values(database: Loaded, table: str, columns: dict[str, str], fields: dict[str, Field]) -> Values:
    names = ", ".join(f'"{name}"' for name in ("id", *columns.values()))
    return {
        str(key): {
            number: None if value is None else _plain(fields[number].schema, value)
            for number, value in zip(columns, values, strict=True)
        }
        for key, *values in database.ask(f"SELECT {names} FROM {table}")  # noqa: S608 - names of ours
    }


def _plain(schema: Record, value: Any) -> object:  # noqa: ANN401 - of Singer, or of a database
    """Return a value as it is compared: one form of numbers, of times and of lists, however they are stored."""
    if schema["type"] == ["array", "null"]:
        # DuckDB has lists as JSON text.
        return json.loads(value, parse_float=Decimal) if isinstance(value, str) else value
    if schema == NUMBER:
        return Decimal(str(value)).normalize()
    if schema == DATE:
        return date.fromisoformat(value) if isinstance(value, str) else value
    if schema == MOMENT:
        found = datetime.fromisoformat(value) if isinstance(value, str) else value
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    return value


def _type(loader: str, schema: Record) -> str:
    return next(name for one, name in TYPES[loader] if one == schema)


def _kept(loader: str, values: Values) -> Values:
    """Return values as a loader keeps them: target-duckdb has null for an empty text."""
    if loader != "target-duckdb":
        return values
    return {key: {one: None if value == "" else value for one, value in row.items()} for key, row in values.items()}


def _only(values: Values, keys: Collection[str]) -> Values:
    return {key: row for key, row in values.items() if key in keys}


def _different(found: Values, truth: Values) -> dict[str, object]:
    """Return the rows, and of them the values, that differ; empty if all are the same, and their types, too."""
    assert found.keys() == truth.keys()
    differing: dict[str, object] = {}
    for key, row in truth.items():
        parts = {one: (found[key][one], value) for one, value in row.items() if not _same(found[key][one], value)}
        if parts:
            differing[key] = parts
    return differing


def _same(found: object, value: object) -> bool:
    return type(found) is type(value) and found == value
