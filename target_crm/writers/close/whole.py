"""All records of an object, read once per run into a file: where Close can be asked for them in no other way."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from tap_crm.shaping.schema import DELETED_AT
from target_crm.writers.close.answers import record_of, snapshot, text_of
from target_crm.writers.close.matching import keys_of
from target_crm.writers.records_file import RecordsFile

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from target_crm.contract import Columns, Field, ObjectSpec
    from target_crm.writers.definitions import Definitions


class Whole:
    """The records of one object as they were when they were read; whoever writes over one reads it again.

    Args:
        spec: the object.
        columns: its fields in this account.
        definitions: reads it.
    """

    def __init__(self, spec: ObjectSpec, columns: Columns, definitions: Definitions) -> None:
        self._spec = spec
        self._columns = columns
        self._lock = threading.Lock()
        self._file = RecordsFile()
        self._indexed: set[str] = set()
        definitions.each(spec.name, self._take)

    def close(self) -> None:
        """Give the file back."""
        self._file.close()

    def _take(self, records: Sequence[dict[str, Any]]) -> None:
        self._file.keep((one["id"], text_of(one)) for one in records if one.get("id") and not one.get(DELETED_AT))

    def by_ids(self, ids: Sequence[str]) -> list[dict[str, Any]]:
        """Return the records with these ids."""
        return [record_of(text) for text in self._file.by_ids(ids).values()]

    def by_values(self, field: Field, values: Iterable[Any]) -> list[dict[str, Any]]:
        """Return the records that may have one of these values in a field."""
        with self._lock:
            if field.name not in self._indexed:
                self._file.index(field.name, self._pairs(field))
                self._indexed.add(field.name)
        keys = sorted({key for value in values for key in keys_of(field, value)})
        found = self._file.ids_by(field.name, keys)
        return self.by_ids(sorted(set().union(*found.values())))

    def _pairs(self, field: Field) -> Iterator[tuple[str, str]]:
        """Yield what each record has in a field, in the forms by which it is looked up, with its id."""
        for key, text in self._file.records():
            values = snapshot(record_of(text), self._spec, self._columns).values
            yield from ((one, key) for one in keys_of(field, field.value_in(values)))
