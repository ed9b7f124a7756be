"""What the columns of custom fields should hold, made from the sandboxes' definitions and records alone.

The column of a definition is the one whose description in the SCHEMA message names its id: what columns are called is
no part of this truth, and has tests of its own.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

import jsonschema

from tests.close import truth as close
from tests.copper import truth as copper
from tests.singer import merged
from tests.truth import compared, exact

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from sandbox.close import CloseAccount
    from sandbox.copper import CopperAccount
    from tests.singer import Key, Record, Run, Tap

Read: TypeAlias = "Callable[[Any], Any]"

RAW = "custom_fields"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DESCRIBED = re.compile(r"Custom field (\S+), kind ")

TEXT: Record = {"type": ["string", "null"]}
NUMBER: Record = {"type": ["number", "null"]}
BOOLEAN: Record = {"type": ["boolean", "null"]}
DATE: Record = {"type": ["string", "null"], "format": "date"}
MOMENT: Record = {"type": ["string", "null"], "format": "date-time"}
TEXTS: Record = {"type": ["array", "null"], "items": TEXT}
#: Items of any type.
LIST: Record = {"type": ["array", "null"]}


@dataclass(frozen=True)
class Field:
    """A custom field of a stream, as the CRM defines it.

    Attributes:
        key: its id, as text.
        label: its name.
        kind: what the description says of its kind.
        schema: how the column is declared.
        read: makes of a value that is not null what the column holds.
        options: what the description says of its options.
    """

    key: str
    label: str
    kind: str
    schema: Record
    read: Read = field(repr=False)
    options: tuple[str, ...] = ()


class Crm(Protocol):
    """What differs between the CRMs."""

    streams: tuple[str, ...]

    def expected(self, stream: str) -> dict[Key, Record]:
        """Return the records of a stream as they should arrive without columns for custom fields."""

    def fields(self, stream: str) -> dict[str, Field]:
        """Return the custom fields of a stream by their ids."""

    def values(self, raw: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON
        """Return the values of a record by id, from the form in which they come."""

    def keep(self, extra: Record, key: str, value: Any) -> None:  # noqa: ANN401 - any JSON
        """Put a value that has no column into a record's ``_extra``."""


# Copper


def _copper_date(value: int) -> str:
    return f"{EPOCH + timedelta(seconds=int(value)):%Y-%m-%d}"


COPPER_KINDS: dict[str, tuple[Record, Read]] = {
    "String": (TEXT, exact),
    "Text": (TEXT, exact),
    "URL": (TEXT, exact),
    "Date": (DATE, _copper_date),
    "Checkbox": (BOOLEAN, exact),
    "Float": (NUMBER, exact),
    "Currency": (NUMBER, exact),
    "Percentage": (NUMBER, exact),
    "Connect": (LIST, exact),
}
COPPER_OBJECTS = {
    "people": "person",
    "companies": "company",
    "leads": "lead",
    "opportunities": "opportunity",
    "projects": "project",
    "tasks": "task",
}


class Copper:
    """Copper's sandbox."""

    streams = tuple(COPPER_OBJECTS)

    def __init__(self, account: CopperAccount) -> None:
        self.account = account

    def expected(self, stream: str) -> dict[Key, Record]:
        """Return the records of a stream as they should arrive without columns for custom fields."""
        return copper.expected(self.account, stream)

    def fields(self, stream: str) -> dict[str, Field]:
        """Return the custom fields of a stream by their ids."""
        kind = COPPER_OBJECTS[stream]
        made = self.account.records("custom_field_definitions")
        return {str(one["id"]): self._field(one) for one in made if kind in one["available_on"]}

    def _field(self, definition: Record) -> Field:
        kind, options = definition["data_type"], definition.get("options", [])
        labels = {option["id"]: option["name"] for option in options}
        schema, read = COPPER_KINDS.get(kind, (TEXT, exact))

        def label(value: int) -> str:
            return str(labels.get(value, value))

        if kind == "Dropdown":
            read = label
        elif kind == "MultiSelect":
            schema, read = TEXTS, lambda value: [label(one) for one in value]
        said = tuple(f"{option['id']} {option['name']}" for option in options)
        return Field(str(definition["id"]), definition["name"], kind, schema, read, said)

    def values(self, raw: Any) -> dict[str, Any]:  # noqa: ANN401
        """Return the values of a list of entries."""
        return {str(entry["custom_field_definition_id"]): entry["value"] for entry in raw}

    def keep(self, extra: Record, key: str, value: Any) -> None:  # noqa: ANN401
        """Keep an entry in a list."""
        extra.setdefault(RAW, []).append({"custom_field_definition_id": int(key), "value": value})


# Close


def _utc(text: str) -> str:
    moment = datetime.fromisoformat(text)
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    return moment.isoformat().replace("+00:00", "Z")


CLOSE_TYPES: dict[str, tuple[Record, Read]] = {
    **dict.fromkeys(("text", "textarea", "hidden", "url", "email", "choices"), (TEXT, exact)),
    **dict.fromkeys(("user", "contact", "custom_object"), (TEXT, exact)),
    "number": (NUMBER, lambda value: Decimal(str(value))),
    "date": (DATE, exact),
    "datetime": (MOMENT, _utc),
}
CLOSE_OBJECTS = {
    "leads": ("lead", "lead"),
    "contacts": ("contact", "contact"),
    "opportunities": ("opportunity", "opportunity"),
    "custom_activities": ("activity", "custom_activity_type"),
    "custom_objects": ("custom_object_type", "custom_object_type"),
}


class Close:
    """Close's sandbox."""

    streams = tuple(CLOSE_OBJECTS)

    def __init__(self, account: CloseAccount) -> None:
        self.account = account

    def expected(self, stream: str) -> dict[Key, Record]:
        """Return the records of a stream as they should arrive without columns for custom fields."""
        return close.expected(self.account, stream)

    def fields(self, stream: str) -> dict[str, Field]:
        """Return the custom fields of a stream by their ids, shared ones that are associated with it included."""
        own, associated = CLOSE_OBJECTS[stream]
        return {
            one["id"]: self._field(one)
            for one in self.account.records("custom_fields")
            if one["object_type"] == own
            or any(target["object_type"] == associated for target in one.get("associations", ()))
        }

    def _field(self, definition: Record) -> Field:
        schema, read = CLOSE_TYPES[definition["type"]]
        kind = definition["type"]
        if definition["accepts_multiple_values"]:
            kind += ", several values"
            single = read
            schema, read = {"type": ["array", "null"], "items": schema}, lambda value: [single(one) for one in value]
        return Field(definition["id"], definition["name"], kind, schema, read, tuple(definition["choices"] or ()))

    def values(self, raw: Any) -> dict[str, Any]:  # noqa: ANN401
        """Return the values of an object."""
        return dict(raw)

    def keep(self, extra: Record, key: str, value: Any) -> None:  # noqa: ANN401
        """Keep a value under its name."""
        extra[f"custom.{key}"] = value


# What a run should have written


def columns_of(run: Run, stream: str) -> dict[str, str]:
    """Return the columns of a stream by the ids that their descriptions name."""
    found: dict[str, str] = {}
    for name, part in run.schemas[stream]["schema"]["properties"].items():
        match = DESCRIBED.match(part.get("description") or "")
        if match:
            assert match[1] not in found, (found[match[1]], name)
            found[match[1]] = name
    return found


def declared(run: Run, stream: str, column: str) -> Record:
    """Return the type of a column; of a list of anything, just that it is a list."""
    part = run.schemas[stream]["schema"]["properties"][column]
    shown = {name: value for name, value in part.items() if name not in ("title", "description")}
    if len((shown.get("items") or {}).get("type", ())) > len(TEXT["type"]):
        shown.pop("items")
    return shown


def expected(  # noqa: PLR0913 - each is a way in which runs differ
    crm: Crm,
    stream: str,
    columns: Mapping[str, str],
    *,
    form: str = "columns",
    deselected: Collection[str] = (),
    keeps_extra: bool = True,
) -> dict[Key, Record]:
    """Return every living record of a stream as it should arrive.

    Args:
        crm: whose records these are.
        stream: its name.
        columns: by id, as the SCHEMA has them; a value that has none should be in ``_extra``.
        form: the setting ``custom_fields``.
        deselected: ids of fields that are in no column and not kept.
        keeps_extra: whether ``_extra`` is selected.
    """
    fields = crm.fields(stream)
    table: dict[Key, Record] = {}
    for key, plain in crm.expected(stream).items():
        record = dict(plain) if form != "columns" else {name: part for name, part in plain.items() if name != RAW}
        if form != "raw":
            record |= dict.fromkeys(columns.values())
            extra = dict(record.get("_extra") or {})
            for number, value in crm.values(plain[RAW]).items():
                if value is None or number in deselected:
                    continue
                if number in columns:
                    record[columns[number]] = fields[number].read(value)
                elif form == "columns":
                    crm.keep(extra, number, value)
            if extra:
                record["_extra"] = extra
        if not keeps_extra:
            record.pop("_extra", None)
        table[key] = record
    return table


def differences(
    crm: Crm,
    stream: str,
    *runs: Run,
    form: str = "columns",
    deselected: Collection[str] = (),
    keeps_extra: bool = True,
) -> dict[str, Any]:
    """Return what is missing, surplus or different in what a target holds after these runs; empty if all is right."""
    columns = columns_of(runs[-1], stream)
    truth = expected(crm, stream, columns, form=form, deselected=deselected, keeps_extra=keeps_extra)
    return compared(truth, merged(stream, *runs))


def assert_right(crm: Crm, run: Run, *streams: str, form: str = "columns") -> None:
    """Every record of these streams, or of all with custom fields, is valid and equals the truth."""
    for stream in streams or crm.streams:
        assert run.count(stream) > 0, stream
        assert_valid(run, stream)
        assert differences(crm, stream, run, form=form) == {}, stream


def assert_valid(run: Run, *streams: str) -> None:
    """Every record is valid against the SCHEMA that was emitted, formats included."""
    for stream in streams:
        check = jsonschema.Draft202012Validator(
            run.schemas[stream]["schema"], format_checker=jsonschema.FormatChecker()
        )
        for record in run.records(stream):
            check.validate(record)


def assert_present(crm: Crm, run: Run, stream: str) -> None:
    """A stream's columns are those of the present definitions, in their types; nothing is in ``_extra``."""
    fields = crm.fields(stream)
    assert columns_of(run, stream).keys() == fields.keys()
    assert_valid(run, stream)
    assert not any("_extra" in record for record in run.records(stream))
    for key, column in columns_of(run, stream).items():
        assert declared(run, stream, column) == fields[key].schema


def assert_kept(record: Record, column: str, value: Any, raw: Any) -> None:  # noqa: ANN401 - any JSON
    """A value is in a column that has another type than its field, as far as it can be; else whole in ``_extra``."""
    if raw is None:
        assert record[column] is None
        return
    if record[column] is None:
        assert record["_extra"][column] == exact(raw), (column, raw)
        return
    forms = {_plainly(one) for one in (value, raw)}
    assert _plainly(record[column]) in forms, (column, record[column], value, raw)


def assert_all_kept(crm: Crm, run: Run, stream: str, numbers: Collection[str], values: Mapping[Any, Record]) -> None:
    """All records are as they should be, and the values of fields that have another type are where they can be.

    Args:
        crm: whose records these are.
        run: whose columns may be older than the fields.
        stream: its name.
        numbers: ids of the fields that have another type than their columns.
        values: the values as they come, by the ids of records and of fields.
    """
    fields, columns = crm.fields(stream), columns_of(run, stream)
    truth = expected(crm, stream, columns)
    written = {record["id"]: record for record in run.records(stream)}
    assert len(written) == len(truth)
    aside = {columns[number] for number in numbers} | {"_extra"}
    for key, record in written.items():
        for number in numbers:
            raw = values[key].get(number)
            assert_kept(record, columns[number], None if raw is None else fields[number].read(raw), raw)
        should = {name: part for name, part in truth[(key,)].items() if name not in aside}
        assert {name: part for name, part in record.items() if name not in aside} == should
        assert record.get("_extra", {}).keys() <= aside


def _plainly(value: Any) -> str:  # noqa: ANN401
    """Return a value as text, a list of one like its item; numbers alike, however they are written."""
    if isinstance(value, list):
        return ", ".join(map(_plainly, value))
    text = str(value).lower().removesuffix("t00:00:00z")
    try:
        return str(Decimal(text).normalize())
    except ArithmeticError:
        return text


def lines(run: Run, *words: str) -> list[str]:
    """Return the lines of the log that have all these words."""
    return [line for line in run.log.splitlines() if all(word in line for word in words)]


def in_columns(start: Callable[..., tuple[Any, Tap]], usual: Record) -> Callable[..., tuple[Any, Tap]]:
    """Return what starts a sandbox, of a usual shape, and a tap with the default form of custom fields."""

    def start_one(shape: Record | None = None, **knobs: Any) -> tuple[Any, Tap]:  # noqa: ANN401 - knobs of any type
        app, tap = start({**usual, **(shape or {})}, **knobs)
        del tap.config["custom_fields"]
        return app, tap

    return start_one
