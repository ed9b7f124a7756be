"""Values of custom fields as columns: labels for the ids of options, types as declared, nothing lost."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeAlias

from tap_crm.shaping.conform import Conform, compile_conform
from tap_crm.shaping.free_objects import is_free, is_nested, to_text
from tap_crm.shaping.moments import Unfit, to_iso_moment
from tap_crm.shaping.schema import EXTRA, is_json_text, json_types

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from tap_crm.shaping.custom.fields import CustomField, Id
    from tap_crm.shaping.custom.layouts import Layout, Pair, Record

_PLAIN: Mapping[frozenset[str], type] = {
    frozenset({"string"}): str,
    frozenset({"number"}): Decimal,
    frozenset({"boolean"}): bool,
}
#: The column of a field, the type of values that it takes as they are, what it makes of some whole numbers, and what
#: makes of any value what it holds; None for a field that is not wanted.
_Reader: TypeAlias = "tuple[str, type | None, dict[int, Any], Conform] | None"


_TIMES = ("date", "date-time")
_MOST_REMEMBERED = 10_000


def _form_of(schema: Mapping[str, Any]) -> str | None:
    """Return the format of a column's values, or of those in its lists."""
    found: str | None = schema.get("format") or (schema.get("items") or {}).get("format")
    return found


def _only_times(fit: Conform, form: str, date_order: str) -> Conform:
    """Return what reads a field's values into a column from the time when they were dates or times.

    A number is none of these now, and a date has no room for a time of day.
    """

    def conform(value: Any) -> Any:  # noqa: ANN401 - any JSON
        for part in value if isinstance(value, list) else [value]:
            if part is None:
                continue
            if not isinstance(part, str):
                raise Unfit
            if form == "date" and not to_iso_moment(part, date_order).endswith("T00:00:00Z"):
                raise Unfit
        return fit(value)

    return conform


def _only_truths(fit: Conform) -> Conform:
    """Return what reads values into a column from the time when they were true or false: 1 is a number now."""

    def conform(value: Any) -> Any:  # noqa: ANN401 - any JSON
        if isinstance(value, bool) or (isinstance(value, str) and value.lower() in ("true", "false")):
            return fit(value)
        raise Unfit

    return conform


@dataclass(frozen=True, slots=True)
class Column:
    """A column as the target is told of it.

    Attributes:
        name: as in the catalog.
        field: whose values it takes.
        schema: its type, which may be older than the definition.
    """

    name: str
    field: CustomField
    schema: Mapping[str, Any]


def _remembering(conform: Conform, known: dict[int, Any]) -> Conform:
    """Return what reads a value and remembers what it made of a number: few days stand in many records."""

    def read(value: Any) -> Any:  # noqa: ANN401 - any JSON
        found = conform(value)
        if type(value) is int and len(known) < _MOST_REMEMBERED:
            known[value] = found
        return found

    return read


def _plain_type(column: Column) -> type | None:
    """Return the type of values that a column takes as they are: most values are of it, and calls are dear."""
    schema = dict(column.schema)
    if column.field.options is not None or _form_of(schema) in _TIMES or is_json_text(schema):
        return None
    return _PLAIN.get(json_types(schema))


class CustomValues:
    """Reads the custom fields of one stream's records into columns.

    Args:
        layout: where the records have the values.
        columns: what the stream has of them.
        wanted: the top-level properties that are selected.
        empty: columns that no field fills any more.
        date_order: ``mdy`` or ``dmy``.
        keeps_raw: whether the values are also emitted as they come.
        is_unwanted: whether the one column that has the values is deselected.
        extra_as_text: whether ``_extra`` is written as JSON text.

    Attributes:
        misfits: how many values of a column were of another type.
        gathers: whether the values that are emitted as they come have to be put together from fields of the record.
        unlabelled: how many ids in a column are those of no known option.
        undefined: how many values belong to no column.
    """

    def __init__(  # noqa: PLR0913 - what a stream has, handed over once
        self,
        layout: Layout,
        columns: Iterable[Column],
        wanted: Collection[str],
        *,
        empty: Iterable[str] = (),
        date_order: str = "mdy",
        keeps_raw: bool = False,
        is_unwanted: bool = False,
        extra_as_text: bool = False,
    ) -> None:
        columns = list(columns)
        self.layout = layout
        self.keys: list[Id] = [column.field.key for column in columns]
        self.emits_raw = keeps_raw and layout.column in wanted
        self.gathers = self.emits_raw and not layout.is_raw_as_it_comes
        self.misfits: Counter[str] = Counter()
        self.unlabelled: Counter[str] = Counter()
        self.undefined: Counter[Id] = Counter()
        self._keeps_extra = EXTRA in wanted
        self._is_unwanted = is_unwanted
        self._extra_as_text = extra_as_text
        self._readers: dict[Id, _Reader] = {
            column.field.key: self._reader(column, date_order) if column.name in wanted else None for column in columns
        }
        names = [column.name for column in columns if column.name in wanted]
        self._nothing: Record = dict.fromkeys([*names, *(name for name in empty if name in wanted)])

    def _reader(self, column: Column, date_order: str) -> _Reader:
        conform = self._conform(column, date_order)
        known: dict[int, Any] = {}
        if column.field.options is not None and "array" not in json_types(dict(column.schema)):
            for key in column.field.options:
                if type(key) is int:
                    with suppress(Unfit):
                        known[key] = conform(key)
        elif _form_of(column.schema) == "date":
            conform = _remembering(conform, known)
        return column.name, _plain_type(column), known, conform

    def _conform(self, column: Column, date_order: str) -> Conform:
        """Return what reads a value of the definition's kind into the column's type."""
        field, schema = column.field, dict(column.schema)
        if is_json_text(schema) and is_nested(field.schema) and not is_free(field.schema):
            typed = self._conform(replace(column, schema=field.schema), date_order)
            return lambda value: to_text(typed(value))
        fit = compile_conform(schema, date_order)
        form = _form_of(schema)
        if form in _TIMES and form != _form_of(field.schema):
            fit = _only_times(fit, form, date_order)
        types = json_types(schema)
        if "boolean" in types and types != json_types(dict(field.schema)):
            fit = _only_truths(fit)
        is_list = "array" in types
        options = field.options
        if options is None:
            return (lambda value: fit(value if isinstance(value, list) else [value])) if is_list else fit
        labelled = self._labelled(options, column.name)
        if is_list:
            plain = {key: label for key, label in options.items() if type(key) is int}
            quick = plain if _form_of(schema) is None and json_types(schema.get("items") or {}) == {"string"} else {}

            def read_list(value: Any) -> Any:  # noqa: ANN401 - any JSON
                if type(value) is list and all(type(one) is int and one in quick for one in value):
                    return [quick[one] for one in value]
                return fit([labelled(one) for one in (value if isinstance(value, list) else [value])])

            return read_list
        return lambda value: fit(labelled(value))

    def _labelled(self, options: Mapping[Id, str], name: str) -> Conform:
        labels = frozenset(options.values())
        by_text = {str(key): label for key, label in options.items()}

        def read(value: Any) -> Any:  # noqa: ANN401 - any JSON
            if value is None or isinstance(value, (dict, list, bool)):
                raise Unfit
            label = options.get(value)
            if label is None:
                label = value if isinstance(value, str) and value in labels else by_text.get(str(value))
            if label is None:
                self.unlabelled[name] += 1
                return str(value)
            return label

        return read

    def read(self, pairs: Iterable[Pair], extra: Record) -> Record:
        """Return a record's values by column, null where there is none; put what fits none into ``extra``."""
        values = self._nothing.copy()
        undefined: list[Pair] = []
        readers = self._readers
        for key, value in pairs:
            if value is None:
                continue
            try:
                reader = readers[key]
            except KeyError:
                undefined.append((key, value))
                continue
            if reader is None:
                continue
            name, plain, known, conform = reader
            kind = type(value)
            try:
                if kind is plain:
                    values[name] = value
                else:
                    values[name] = known[value] if kind is int and value in known else conform(value)
            except Unfit:
                self.misfits[name] += 1
                extra[name] = value
        if undefined and not self._is_unwanted:
            self.undefined.update(key for key, _ in undefined)
            if not self.emits_raw:
                self.layout.keep(undefined, extra)
        return values

    def remarks(self) -> list[str]:
        """Return what has no label, and what has no column."""
        found = [
            f"{count} ids in `{name}` belong to no option that its definition has; they are kept as they are"
            for name, count in sorted(self.unlabelled.items())
        ]
        if self.undefined and not self.emits_raw:
            found.append(
                f"{self.undefined.total()} values of {len(self.undefined)} custom fields have no column; they are kept "
                f"in `{EXTRA}`; run discovery again"
            )
        return found

    # The careful path

    def take(self, record: Record) -> tuple[Record, Record, Record]:
        """Return what is left of a record, its columns, and what of its custom fields goes into ``_extra``."""
        column = self.layout.column
        rest, pairs = self.layout.split(record)
        extra: Record = {}
        if self.emits_raw and not self.gathers:
            rest = record
        elif rest.get(column) is not None:  # not in the form that is documented
            extra[column] = rest[column]
            rest = {name: value for name, value in rest.items() if name != column}
        if self.gathers:
            rest = {**rest, column: dict(pairs)}
        values = self.read(pairs, extra)
        return rest, values, extra

    # The fast path

    def spread(self, fields: tuple[Any, ...], unknown: Record) -> Record:
        """Return all that is added to a record: its custom fields as columns, and ``_extra``.

        Args:
            fields: the decoded fields that carry the custom fields.
            unknown: its fields that no schema knows.
        """
        extra: Record = {}
        pairs = self.layout.pairs(self.keys, fields)
        values = self.read(pairs, extra)
        extra.update(unknown)
        if extra and self._keeps_extra:
            values[EXTRA] = to_text(extra) if self._extra_as_text else extra
        if self.gathers:
            values[self.layout.column] = dict(pairs)
        return values

    def counts(self) -> tuple[Counter[Any], ...]:
        """Return what was counted so far, for :meth:`count_from`."""
        return self.misfits.copy(), self.unlabelled.copy(), self.undefined.copy()

    def count_from(self, counts: tuple[Counter[Any], ...]) -> None:
        """Forget what was counted since, because the page is read once more."""
        self.misfits, self.unlabelled, self.undefined = counts
