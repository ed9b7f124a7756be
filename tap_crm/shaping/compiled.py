"""The fast path: pages decoded straight into structures made from the schema, and encoded straight to lines.

The structure knows every field that the schema knows, with its type, and learns those that the CRM has besides as it
meets them. A page that holds anything else is refused by the decoder, and the careful path takes it: slower, same
result.
"""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal
from itertools import repeat
from operator import attrgetter
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
from msgspec import UNSET, UnsetType

from tap_crm.shaping.conform import compile_conform
from tap_crm.shaping.free_objects import to_text
from tap_crm.shaping.moments import Unfit
from tap_crm.shaping.schema import EXTRA, is_free_form, is_json_text, json_types

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from tap_crm.shaping.conform import Conform
    from tap_crm.shaping.custom.values import CustomValues

#: The decoder reads an integer that is written as 5.0 as a float, which holds any 15 digits exactly; ids with more
#: take the careful path.
_EXACT = 10**15
#: From here on, an epoch has nine digits.
_FIRST_SURE_YEAR = 1974
#: So many fields that no schema knows are learned; a CRM that has more is read by the careful path.
_MOST_LEARNED = 64
#: What the decoder says of such a field: its name, and where the object is that has it.
_UNKNOWN = re.compile(r"Object contains unknown field `(.*)` - at `\$(.*)`", re.DOTALL)
_INTEGER = Annotated[int, msgspec.Meta(ge=-_EXACT, le=_EXACT)]


class PageEncoder:
    """Encodes pages of one stream.

    Args:
        schema: the stream's schema, references resolved, without the columns of custom fields.
        wanted: the top-level fields that are selected.
        date_order: ``mdy`` or ``dmy``.
        custom: reads the custom fields into columns, where the stream has some.
        envelope: fields that say nothing of the record, and are left out.
        texts: fields that are written as JSON text.
    """

    def __init__(  # noqa: PLR0913 - what a stream declares, handed over once
        self,
        schema: dict[str, Any],
        wanted: frozenset[str],
        date_order: str,
        custom: CustomValues | None = None,
        envelope: frozenset[str] = frozenset(),
        *,
        texts: frozenset[str] = frozenset(),
    ) -> None:
        self._schema, self._wanted, self._date_order = schema, wanted, date_order
        self._custom, self._envelope, self._texts = custom, envelope, texts
        #: By the path within a record, the names of fields that no schema knows.
        self._learned: dict[str, list[str]] = {}
        self._encoder = msgspec.json.Encoder(decimal_format="number")
        self._build()

    def _build(self) -> None:
        """Make the structure, and what has to be done with each of its fields."""
        schema, wanted, custom = self._schema, self._wanted, self._custom
        self._keeps_extra = EXTRA in wanted
        fields: list[tuple[str, Any, Any]] = []
        names: dict[str, str] = {}
        self._dropped: list[str] = []
        self._moments: list[str] = []
        self._numbers: list[str] = []
        self._converted: list[tuple[str, Callable[[Any], Any]]] = []
        raw = custom.layout.column if custom is not None else None
        # Without `_extra` nobody misses an unknown field, unless it is gathered with others of its kind.
        strict = self._keeps_extra or (custom is not None and custom.gathers)
        envelope = sorted(self._envelope - schema["properties"].keys()) if strict else []
        self._dropped += self._add(fields, names, "e", [(name, msgspec.Raw) for name in envelope])
        for number, (name, part) in enumerate(schema["properties"].items()):
            if name in (EXTRA, raw) or (name not in wanted and not strict):
                continue
            attribute = f"f{number}"
            names[attribute] = name
            if name not in wanted:
                fields.append((attribute, msgspec.Raw | UnsetType, UNSET))
                self._dropped.append(attribute)
                continue
            kind, convert = self._field(name, part)
            fields.append((attribute, _optional(kind), UNSET))
            if convert is not None:
                self._converted.append((attribute, convert))
            elif kind is datetime:
                self._moments.append(attribute)
            elif kind is Decimal:
                self._numbers.append(attribute)
        self._carried = self._add(fields, names, "c", [] if custom is None else custom.layout.fields(custom.keys))
        learned = self._learned.get("", ())
        attributes = self._add(fields, names, "u", [(name, Any) for name in learned])
        self._unknown = list(zip(attributes, learned, strict=True))
        record = msgspec.defstruct("Record", fields, rename=names, forbid_unknown_fields=strict, gc=False)
        self._record = record
        self._decoders: dict[str | None, Callable[[bytes], Any]] = {None: self._decoder(list[record])}  # type: ignore[valid-type]

    def _field(self, name: str, part: dict[str, Any]) -> tuple[Any, Conform | None]:
        """Return the type that decodes a field, and what makes of its values what is written; None for nothing."""
        as_text = name in self._texts
        if _by_python(part):
            conform = compile_conform(part, self._date_order)
            return Any, _as_text(conform) if as_text else conform
        kind = _type(part, f".{name}", self._learned)
        if not as_text:
            return kind, None
        return Any if kind is msgspec.Raw else kind, to_text  # raw JSON may have blanks between its parts

    @staticmethod
    def _add(fields: list[Any], names: dict[str, str], mark: str, more: Sequence[tuple[str, Any]]) -> list[str]:
        """Add fields, each given by its name and its type; return the attributes that have them."""
        attributes = [f"{mark}{number}" for number in range(len(more))]
        for attribute, (name, kind) in zip(attributes, more, strict=True):
            names[attribute] = name
            fields.append((attribute, kind | UnsetType, UNSET))
        return attributes

    def _decoder(self, kind: Any) -> Callable[[bytes], Any]:  # noqa: ANN401 - a type
        return msgspec.json.Decoder(kind, strict=False, float_hook=Decimal).decode

    def _rows_within(self, name: str) -> Callable[[bytes], Any]:
        """Return what decodes the records of an object that has them under a name."""
        envelope = msgspec.defstruct("Envelope", [("rows", list[self._record])], rename={"rows": name}, gc=False)  # type: ignore[name-defined]
        decode = self._decoder(envelope)
        return lambda body: decode(body).rows

    def encode(self, body: bytes, keep: Sequence[int] | None, within: str | None = None) -> list[bytes] | None:
        """Return the JSON of each record to write, or None if the page needs the careful path.

        Args:
            body: a JSON array, or an object that has it under the name ``within``.
            keep: the positions to write; None for all.
            within: as said.
        """
        counts = self._custom.counts() if self._custom is not None else ()
        try:
            if b"\n" in body or b"\r" in body:  # a value of any shape is written as it came, and a line must be one
                body = msgspec.json.format(body, indent=-1)
            rows = self._decoded(self._rows(body, within), keep)
            spread = self._spread(rows)
        except (ValueError, RecursionError):  # does not fit, or is a time that no calendar has
            if self._custom is not None:
                self._custom.count_from(counts)
            return None
        for attribute in self._dropped:
            for row in rows:
                setattr(row, attribute, UNSET)
        encode = self._encoder.encode
        if spread is None:
            return [encode(row) for row in rows]
        return [encode(row)[:-1] + columns for row, columns in zip(rows, spread, strict=True)]

    def _rows(self, body: bytes, within: str | None) -> list[Any]:
        """Return all rows; fields that are met for the first time are learned."""
        while True:
            if within is not None and within not in self._decoders:
                self._decoders[within] = self._rows_within(within)
            try:
                rows: list[Any] = self._decoders[within](body)
            except msgspec.ValidationError as refusal:
                if not self._learn(str(refusal), "" if within is None else f".{within}"):
                    raise
            else:
                return rows

    def _learn(self, refusal: str, before: str) -> bool:
        """Learn the field that the decoder did not know; tell whether that was possible.

        Args:
            refusal: what the decoder says.
            before: the path of the list of records.
        """
        found = _UNKNOWN.fullmatch(refusal)
        within = None if found is None else re.fullmatch(re.escape(before) + r"\[\d+\](.*)", found[2], re.DOTALL)
        if found is None or within is None or sum(map(len, self._learned.values())) >= _MOST_LEARNED:
            return False
        name, path = found[1], re.sub(r"\[\d+\]", "[]", within[1])
        key = self._custom.layout.key_in(name) if self._custom is not None and not path else None
        names = self._learned.setdefault(path, [])
        if self._custom is not None and key is not None:
            if key in self._custom.keys:
                return False
            self._custom.keys.append(key)
        elif name in names or (not path and (name == EXTRA or name in self._schema["properties"])):
            return False
        else:
            names.append(name)
        try:
            self._build()
        except ValueError:  # no structure can have a field of such a name
            with suppress(ValueError):
                names.remove(name)
            if self._custom is not None and key is not None:
                self._custom.keys.remove(key)
            self._build()
            return False
        return True

    def _decoded(self, rows: list[Any], keep: Sequence[int] | None) -> list[Any]:
        """Return the rows to write; a ``ValueError`` if the careful path would write something else."""
        if keep is not None:
            rows = [rows[at] for at in keep]
        if not self._writes_alike(rows):
            raise Unfit
        for attribute, conform in self._converted:
            for row in rows:
                value = getattr(row, attribute)
                if value is not None and value is not UNSET:
                    setattr(row, attribute, conform(value))
        return rows

    def _spread(self, rows: Sequence[Any]) -> list[bytes] | None:
        """Return for each record the end of its JSON: its custom fields as columns, and what no schema knows."""
        custom = self._custom
        if custom is None:
            return [self._end(self._with_extra({}, extra)) for extra in self._extras(rows)] if self._unknown else None
        carried, extras = self._carried, self._extras(rows)
        found = zip(*[map(attrgetter(attribute), rows) for attribute in carried], strict=True)
        fields: Iterable[tuple[Any, ...]] = found if carried else repeat((), len(rows))
        ends = [self._end(custom.spread(values, extra)) for values, extra in zip(fields, extras, strict=True)]
        if not (custom.emits_raw and custom.layout.is_raw_as_it_comes):
            for row in rows:
                for attribute in carried:
                    setattr(row, attribute, UNSET)
        return ends

    def _end(self, columns: dict[str, Any]) -> bytes:
        return b"," + self._encoder.encode(columns)[1:] if columns else b"}"

    def _with_extra(self, columns: dict[str, Any], extra: dict[str, Any]) -> dict[str, Any]:
        if extra and self._keeps_extra:
            columns[EXTRA] = to_text(extra) if EXTRA in self._texts else extra
        return columns

    def _extras(self, rows: Sequence[Any]) -> list[dict[str, Any]]:
        """Return for each record its fields that no schema knows, and take them out."""
        if not self._unknown:
            return [{} for _ in rows]
        extras = []
        for row in rows:
            extra = {}
            for attribute, name in self._unknown:
                value = getattr(row, attribute)
                if value is not UNSET:
                    extra[name] = value
                    setattr(row, attribute, UNSET)
            extras.append(extra)
        return extras

    def _writes_alike(self, rows: Sequence[Any]) -> bool:
        """Tell whether times are in UTC and numbers are such as JSON has; texts like "NaN" become one.

        Times without a zone are in UTC, and are made to say so.
        """
        for attribute in self._moments:
            for row in rows:
                moment = getattr(row, attribute)
                if not moment:  # None and UNSET are false
                    continue
                if moment.year < _FIRST_SURE_YEAR:  # the decoder takes the text "2026" for an epoch
                    return False
                if moment.tzinfo is UTC:
                    continue
                if moment.tzinfo is not None:
                    return False
                setattr(row, attribute, moment.replace(tzinfo=UTC))
        return all(
            not number or number.is_finite()
            for attribute in self._numbers
            for row in rows
            if (number := getattr(row, attribute)) is not UNSET
        )


def _as_text(conform: Conform) -> Conform:
    return lambda value: to_text(conform(value))


def _by_python(schema: dict[str, Any], *, nested: bool = False) -> bool:
    """Tell whether a field holds anything that the decoder alone would not write as the careful path does."""
    if is_json_text(schema) or schema.get("format") == "date":
        return True
    if is_free_form(schema):
        return False
    if nested and (schema.get("format") == "date-time" or "number" in json_types(schema)):
        return True
    parts = [*(schema.get("properties") or {}).values(), schema.get("items") or {}]
    return any(_by_python(part, nested=True) for part in parts)


def _type(schema: dict[str, Any], path: str, learned: Mapping[str, Sequence[str]]) -> Any:  # noqa: ANN401
    """Return the type that decodes exactly the values that need no care.

    Args:
        schema: of the values.
        path: where they are within a record.
        learned: by path, the names of fields besides those of the schema.
    """
    if is_free_form(schema):
        return msgspec.Raw
    types = json_types(schema)
    if "string" in types:
        return datetime if schema.get("format") == "date-time" else str
    if "object" in types:
        return _structure(schema, path, learned)
    if "array" in types:
        item = _type(schema.get("items") or {}, f"{path}[]", learned)
        return list[item] if item is msgspec.Raw else list[item | None]  # type: ignore[valid-type]
    if "boolean" in types:
        return bool
    return Decimal if "number" in types else _INTEGER


def _structure(schema: dict[str, Any], path: str, learned: Mapping[str, Sequence[str]]) -> Any:  # noqa: ANN401
    """Return a structure for a nested object, or a plain dict where its fields are not declared."""
    properties = schema.get("properties") or {}
    if not properties:
        return dict[str, Any]
    names = {f"f{number}": name for number, name in enumerate(properties)}
    fields = [
        (attribute, _optional(_type(properties[name], f"{path}.{name}", learned)), UNSET)
        for attribute, name in names.items()
    ]
    others = {f"u{number}": name for number, name in enumerate(learned.get(path, ())) if name not in properties}
    return msgspec.defstruct(
        "Nested",
        [*fields, *((attribute, Any, UNSET) for attribute in others)],
        rename={**names, **others},
        forbid_unknown_fields=True,
        gc=False,
    )


def _optional(kind: Any) -> Any:  # noqa: ANN401
    """Return the type of a field that may be null or absent; raw JSON may be null by itself."""
    return kind | UnsetType if kind is msgspec.Raw else kind | None | UnsetType
