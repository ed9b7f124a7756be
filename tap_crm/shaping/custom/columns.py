"""The custom fields of one stream in one account: its columns, and how they fit a catalog that may be older."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from tap_crm import errors
from tap_crm.shaping.custom.fields import CustomField, columns_of, id_described
from tap_crm.shaping.custom.values import Column, CustomValues
from tap_crm.shaping.free_objects import is_nested
from tap_crm.shaping.retyped import KEEPS, type_of
from tap_crm.shaping.schema import EXTRA, is_json_text, json_types

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from tap_crm.config.settings import Settings
    from tap_crm.contract.stream import Reading, StreamSpec
    from tap_crm.shaping.custom.fields import Schema
    from tap_crm.shaping.custom.layouts import Layout

_log = logging.getLogger("tap-crm")

#: Columns that a warning names.
MOST_NAMED = 5
WHAT_TO_DO = "run discovery again to have it follow (with Meltano: `meltano run --refresh-catalog ...`)"


@dataclass(slots=True)
class CustomColumns:
    """What a stream has of custom fields, and in which form.

    Attributes:
        layout: where its records have the values.
        form: ``columns``, ``raw`` or ``both``.
        fields: by the name of the column.
        error: why the definitions, or some of them, could not be read.
        told_names: the names in the target, of columns that have another type than it knows, by those in the catalog.
    """

    layout: Layout
    form: str
    fields: Mapping[str, CustomField] = field(default_factory=dict)
    error: errors.ReadError | None = None
    told_names: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_forbidden(self) -> bool:
        """Whether the CRM does not give the definitions, as opposed to an outage."""
        return isinstance(self.error, errors.FinalWord)

    @property
    def is_left_as_it_comes(self) -> bool:
        """Whether records are emitted with their values as the CRM sends them."""
        return self.form == "raw" and self.layout.is_raw_as_it_comes

    @property
    def gathers_unknown(self) -> bool:
        """Whether values have to be put together without knowing which custom fields there are."""
        return self.form == "raw" and not self.layout.is_raw_as_it_comes

    def extend(self, schema: Schema) -> Schema:
        """Return a stream's schema with the columns, and with the values as they come only where they are wanted."""
        properties = dict(schema["properties"])
        extra = properties.pop(EXTRA)
        if self.form == "columns":
            properties.pop(self.layout.column)
        properties |= {name: one.property() for name, one in self.fields.items()}
        return {**schema, "properties": {**properties, EXTRA: extra}}

    def in_effect(self, known: Mapping[str, Schema]) -> dict[str, Column]:
        """Return the columns that a catalog's properties have, by id.

        A column belongs to the field whose id its description names, whatever that field is called now.
        """
        ids = {name: id_described(schema) for name, schema in known.items()}
        by_id = {key: name for name, key in ids.items() if key is not None}
        found: dict[str, Column] = {}
        for name, one in self.fields.items():
            key = str(one.key)
            column = by_id.get(key) or (name if name in known and ids[name] is None else None)
            if column is not None:
                found[key] = Column(column, one, known[column])
        return found

    def values(self, known: Mapping[str, Schema], wanted: Collection[str], date_order: str) -> CustomValues:
        """Return what reads the values into the columns that the catalog's properties have."""
        columns = self.in_effect(known).values()
        return CustomValues(
            self.layout,
            columns,
            wanted,
            empty=self._without_field(known, columns),
            date_order=date_order,
            keeps_raw=self.form != "columns",
            is_unwanted=self.form == "raw" and self.layout.column in known.keys() - wanted,
            extra_as_text=is_json_text(known.get(EXTRA, {})),
        )

    def _without_field(self, known: Mapping[str, Schema], columns: Iterable[Column]) -> list[str]:
        filled = {column.name for column in columns}
        return [name for name, schema in known.items() if name not in filled and id_described(schema) is not None]

    def names(self, known: Mapping[str, Schema]) -> dict[str, str]:
        """Return the names of the columns by the ids of their fields."""
        return {key: column.name for key, column in sorted(self.in_effect(known).items())}

    def check(self, stream: str, known: Mapping[str, Schema]) -> str | None:
        """Return what is to be noted if definitions are not readable; None if they are.

        A stream whose catalog has no column of theirs is read: the values are kept in ``_extra`` then.

        Raises:
            ReadError: columns depend on them.
        """
        if self.error is None:
            return None
        if not self.is_forbidden:
            raise self.error
        if self._without_field(known, self.in_effect(known).values()):
            raise errors.ReadError(
                f"{stream}: the key may no longer read the definitions of custom fields, which the catalog has as "
                f"columns ({self.error}); give it that right, or set `custom_fields` to `raw` and run discovery again"
            )
        none = "no columns for custom fields, their definitions are"
        which = "no columns for some custom fields, their definitions are" if self.fields else none
        remark = f"{which} not readable; values without a column are in `{EXTRA}` ({self.error})"
        _log.warning("%s: %s", stream, remark)
        return remark

    def owns(self, name: str, schema: Schema) -> bool:
        """Tell whether a property is a column of a custom field."""
        return name in self.fields or id_described(schema) is not None

    def staleness(self, known: Mapping[str, Schema]) -> str | None:
        """Return what a catalog does not tell of the account's custom fields as they are now; None if it is right."""
        if self.form == "raw":
            return None
        columns = self.in_effect(known)
        told = {
            "new": [name for name, one in self.fields.items() if str(one.key) not in columns],
            "renamed": [
                f"{columns[key].name}, now `{one.label}`"
                for name, one in self.fields.items()
                if (key := str(one.key)) in columns and columns[key].name != self.told_names.get(name, name)
            ],
            "of another type": [
                column.name
                for column in columns.values()
                if _shape(column.schema) != _shape(column.field.schema) and not _is_text_of(column)
            ],
            "gone": self._without_field(known, columns.values()),
        }
        parts = [f"{len(names)} {what} ({_named(names)})" for what, names in told.items() if names]
        return "; ".join(parts) or None


def _is_text_of(column: Column) -> bool:
    """Tell whether objects or arrays arrive as JSON text in a column."""
    return is_json_text(dict(column.schema)) and is_nested(column.field.schema)


def _shape(schema: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return what decides how values are written."""
    items = schema.get("items") or {}
    return (
        json_types(dict(schema)),
        schema.get("format"),
        schema.get("contentMediaType"),
        json_types(items),
        items.get("format"),
    )


def _named(names: list[str]) -> str:
    more = len(names) - MOST_NAMED
    return ", ".join(names[:MOST_NAMED]) + (f" and {more} more" if more > 0 else "")


def custom_columns(spec: StreamSpec, schema: Schema, settings: Settings, reading: Reading) -> CustomColumns | None:
    """Return the custom fields of a stream as they are now; None for a stream that has none.

    An error in reading the definitions is kept: it is the stream's, not the run's.
    """
    if spec.custom is None:
        return None
    columns = CustomColumns(spec.custom.layout, settings.custom_fields)
    if columns.form == "raw":
        return columns
    try:
        fields, columns.error = spec.custom.definitions(reading)
    except errors.ReadError as error:
        columns.error = error
        return columns
    columns.fields = columns_of(list(fields), set(schema["properties"]), by=settings.custom_field_names)
    return columns


def warn_of_changes(
    streams: Mapping[str, CustomColumns],
    known: Mapping[str, Mapping[str, Schema]],
    before: Mapping[str, Any],
    types: Mapping[str, Mapping[str, str]],
) -> None:
    """Say which custom fields have other columns than in the last run, and what the catalog does not know yet.

    The arguments are those of :func:`renamings`.
    """
    for line in renamings(streams, known, before, types):
        _log.warning("%s", line)
    for stream, columns in streams.items():
        stale = columns.staleness(known[stream]) if columns.error is None else None
        if stale is not None:
            _log.warning(
                "%s: the catalog is older than the custom fields: %s; nothing is lost, what has no column is kept in "
                "`%s`; %s",
                stream,
                stale,
                EXTRA,
                WHAT_TO_DO,
            )


def renamings(
    streams: Mapping[str, CustomColumns],
    known: Mapping[str, Mapping[str, Schema]],
    before: Mapping[str, Any],
    types: Mapping[str, Mapping[str, str]],
) -> list[str]:
    """Return a line for each column that has another name, or another field, than in the last run.

    Args:
        streams: the custom fields of each stream.
        known: the properties of each stream's schema in effect.
        before: by stream, the names of columns by id that the last run left in the state.
        types: by stream, the types of columns that it left there.
    """
    found: dict[_Move, list[str]] = {}
    for stream, columns in streams.items():
        names = before.get(stream)
        if not isinstance(names, dict):
            continue
        present = columns.names(known[stream])
        owners = {name: key for key, name in present.items()}
        for key, old in names.items():
            if not isinstance(old, str):
                continue
            new, owner = present.get(key), owners.get(old)
            if new != old and (new is not None or owner is not None):
                kind = None if new is None else type_of(known[stream][new])
                retyped = kind is not None and types.get(stream, {}).get(old, kind) != kind
                found.setdefault(_Move(key, old, new, owner, retyped), []).append(stream)
    return [_moved(move, ", ".join(of)) for move, of in found.items()]


class _Move(NamedTuple):
    """A field, its former column, the present one, the field that has the former one now, and why it moved."""

    key: str
    old: str
    new: str | None
    owner: str | None
    retyped: bool


def _moved(move: _Move, of: str) -> str:
    """Return what to say of a field that has another column than before, or none while another field has its own."""
    key, old, new, owner, retyped = move
    if new is None:
        return (
            f"custom field {key} of {of} is gone, and `{old}` is the column of custom field {owner} from now on; what "
            f"was loaded before is of {key}"
        )
    rest = KEEPS if owner is None else f"is the column of custom field {owner} from now on"
    what = "is of another kind now" if retyped else "was renamed"
    return f"custom field {key} of {of} {what}: its values arrive in `{new}` from now on; `{old}` {rest}"
