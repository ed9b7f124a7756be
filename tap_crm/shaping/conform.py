"""The careful path: makes one decoded record fit its schema and keeps whatever does not fit in ``_extra``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

import msgspec

from tap_crm.shaping.moments import Unfit, to_iso_date, to_iso_moment
from tap_crm.shaping.schema import EXTRA, is_free_form, is_json_text, json_types

if TYPE_CHECKING:
    import re

Conform: TypeAlias = Callable[[Any], Any]
_COMPACT = msgspec.json.Encoder(decimal_format="number")
MASK = "********"
#: Integers beyond any column; written out, a number such as 1e999999 would fill the memory.
MOST_DIGITS = 300


def compile_conform(schema: dict[str, Any], date_order: str) -> Conform:
    """Return a function that turns a value into what the schema declares, or raises :class:`Unfit`."""
    if is_json_text(schema):
        return lambda value: None if value is None else _COMPACT.encode(value).decode()
    if is_free_form(schema):
        return lambda value: value
    types = json_types(schema)
    if "string" in types:
        return _nullable(_text_conform(schema, date_order))
    if "object" in types:
        return _nullable(_object_conform(schema, date_order))
    if "array" in types:
        return _nullable(_array_conform(schema, date_order))
    scalar = _boolean if "boolean" in types else _number if "number" in types else _integer
    return _nullable(scalar)


def _nullable(conform: Conform) -> Conform:
    return lambda value: None if value is None else conform(value)


def _text_conform(schema: dict[str, Any], date_order: str) -> Conform:
    if schema.get("format") == "date-time":
        return lambda value: None if _says_null(value) else to_iso_moment(value, date_order)
    if schema.get("format") == "date":
        return lambda value: None if _says_null(value) else to_iso_date(value, date_order)
    return _text


def _text(value: Any) -> str:  # noqa: ANN401 - any JSON
    if isinstance(value, str):
        return value
    if isinstance(value, (int, Decimal)) and not isinstance(value, bool):
        return str(value)
    raise Unfit


def _says_null(value: Any) -> bool:  # noqa: ANN401
    return isinstance(value, str) and value.lower() == "null"


def _integer(value: Any) -> int | None:  # noqa: ANN401
    number = _number(value)
    if not isinstance(number, Decimal):
        return number
    if number.adjusted() > MOST_DIGITS or number != number.to_integral_value():
        raise Unfit
    return int(number)


def _number(value: Any) -> int | Decimal | None:  # noqa: ANN401
    if isinstance(value, bool):
        raise Unfit
    if isinstance(value, (int, Decimal)):
        return value
    if _says_null(value):
        return None
    if isinstance(value, str):
        try:
            number = Decimal(value.strip())
        except InvalidOperation:
            raise Unfit from None
        if number.is_finite():
            return number
    raise Unfit


def _boolean(value: Any) -> bool | None:  # noqa: ANN401
    if isinstance(value, bool):
        return value
    if _says_null(value):
        return None
    text = str(value).lower()
    if text in ("1", "true"):
        return True
    if text in ("0", "false"):
        return False
    raise Unfit


def _object_conform(schema: dict[str, Any], date_order: str) -> Conform:
    known = {name: compile_conform(part, date_order) for name, part in schema.get("properties", {}).items()}

    def conform(value: Any) -> dict[str, Any]:  # noqa: ANN401
        if not isinstance(value, dict):
            raise Unfit
        return {name: known[name](part) if name in known else part for name, part in value.items()}

    return conform


def _array_conform(schema: dict[str, Any], date_order: str) -> Conform:
    item = compile_conform(schema.get("items") or {}, date_order)

    def conform(value: Any) -> list[Any]:  # noqa: ANN401
        if not isinstance(value, list):
            raise Unfit
        return [item(part) for part in value]

    return conform


def mask(value: Any) -> Any:  # noqa: ANN401 - any JSON
    """Return the value with every leaf hidden; names of keys stay, so that one sees what is set."""
    if isinstance(value, dict):
        return {name: mask(part) for name, part in value.items()}
    if isinstance(value, list):
        return [mask(part) for part in value]
    return None if value is None else MASK


class TakesColumns(Protocol):
    """Reads the custom fields of a record into columns."""

    def take(self, record: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
        """Return the record without its custom fields, their columns, and what has none."""


class RecordConformer:
    """Makes records of one stream fit its schema.

    Args:
        schema: the stream's schema, references resolved.
        wanted: the top-level fields that are selected.
        date_order: ``mdy`` or ``dmy``, for dates that come as text.
        masked: fields that hold secrets; ``imap.password`` is the field ``password`` within ``imap``.
        masked_parts: fields that hold a secret within a text, and the pattern of it.
        custom: reads the custom fields into columns, where the stream has some.
        envelope: fields of the answer that say nothing of the record.
    """

    def __init__(  # noqa: PLR0913 - what a stream declares, handed over once
        self,
        schema: dict[str, Any],
        wanted: frozenset[str],
        date_order: str,
        masked: frozenset[str] = frozenset(),
        *,
        masked_parts: Mapping[str, re.Pattern[str]] | None = None,
        custom: TakesColumns | None = None,
        envelope: frozenset[str] = frozenset(),
    ) -> None:
        properties = schema["properties"]
        self._fields = {name: compile_conform(part, date_order) for name, part in properties.items() if name != EXTRA}
        self._wanted = wanted
        self._keeps_extra = EXTRA in wanted
        self._masked = frozenset(name for name in masked if "." not in name)
        self._masked_within = [tuple(name.split(".", 1)) for name in masked if "." in name]
        self._masked_parts = masked_parts or {}
        self._custom = custom
        self._envelope = envelope
        self.misfits: dict[str, int] = {}

    def conform(self, record: dict[str, Any]) -> dict[str, Any]:
        """Return the record as its schema declares it; what does not fit is null, and whole in ``_extra``."""
        columns: dict[str, Any] = {}
        extra: dict[str, Any] = {}
        if self._custom is not None:
            record, columns, extra = self._custom.take(record)
        for outer, name in self._masked_within:
            if isinstance(record.get(outer), dict) and name in record[outer]:
                record = {**record, outer: {**record[outer], name: mask(record[outer][name])}}
        fitting: dict[str, Any] = {}
        for name, raw in record.items():
            value = self._without_secrets(name, raw)
            field = self._fields.get(name)
            if field is None:
                if name not in self._envelope:
                    extra[name] = value
            elif name in self._wanted:
                try:
                    fitting[name] = field(value)
                except Unfit:
                    fitting[name] = None
                    extra[name] = value
                    self.misfits[name] = self.misfits.get(name, 0) + 1
        fitting.update(columns)
        if extra and self._keeps_extra:
            fitting[EXTRA] = extra
        return fitting

    def _without_secrets(self, name: str, value: Any) -> Any:  # noqa: ANN401 - any JSON
        if name in self._masked:
            return mask(value)
        if name in self._masked_parts and isinstance(value, str):
            return self._masked_parts[name].sub(MASK, value)
        return value
