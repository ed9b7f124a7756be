"""Reads back what a journal has written, and says where the CRM differs."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING, Any

from target_crm.contract import Skipped, Unwritable
from target_crm.sync.difference import value_in

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from target_crm.config.settings import StreamSettings
    from target_crm.contract import Columns, Id, ObjectSpec, Snapshot, Writer
    from target_crm.journal.history import WrittenRecord
    from target_crm.kinds.base import Kind

TOGETHER = 200


@dataclass(frozen=True, slots=True)
class Different:
    """One difference; ``field`` is None where the record is gone."""

    stream: str
    key: str
    crm_id: str
    field: str | None
    written: Any = None
    present: Any = None


class Verification:
    """Compares.

    Args:
        writer: the CRM.

    Attributes:
        compared: how many records were read back.
    """

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self.compared = 0

    def differences(
        self, records: Iterable[WrittenRecord], settings: Callable[[str], StreamSettings]
    ) -> Iterator[Different]:
        """Yield where the CRM differs from what was written.

        Args:
            records: those of one stream after each other.
            settings: returns those of a stream.

        Raises:
            ReadError: the CRM could not be read.
        """
        part: list[WrittenRecord] = []
        for record in records:
            if part and (len(part) >= TOGETHER or part[0].stream != record.stream):
                yield from self._compare(part, settings(part[0].stream))
                part = []
            part.append(record)
        if part:
            yield from self._compare(part, settings(part[0].stream))

    def _compare(self, part: list[WrittenRecord], settings: StreamSettings) -> Iterator[Different]:
        spec = self._writer.spec(part[0].stream, settings)
        columns = self._writer.columns(spec)
        ids: dict[str, Id] = {one.key: spec.typed_id(one.crm_id) for one in part}
        found = self._read(spec, ids.values(), 0.0)
        doubtful = [one for one in part if ids[one.key] in found and _differs(one, found[ids[one.key]], columns)]
        for one in doubtful:
            self._screen(spec, one, columns)
        # A search may lag, and a list may show the beginning of a text: what differs there is read by itself.
        again = self._read(spec, [ids[one.key] for one in doubtful], inf)
        for one in part:
            self.compared += 1
            record = (again if one in doubtful else found).get(ids[one.key])
            if record is None or not spec.is_same_id(record.id, one.crm_id):
                yield Different(one.stream, one.key, one.crm_id, None)
            else:
                yield from _differences(one, record, columns)

    def _read(self, spec: ObjectSpec, ids: Iterable[Id], since: float) -> dict[Id, Snapshot]:
        """Return records by their ids, as they were at ``since`` or later."""
        wanted = list(ids)
        found: dict[Id, Snapshot] = {}
        for start in range(0, len(wanted), spec.at_once):
            some = wanted[start : start + spec.at_once]
            found.update(self._writer.read(spec, some, dict.fromkeys(some, since)))
        return found

    def _screen(self, spec: ObjectSpec, one: WrittenRecord, columns: Columns) -> None:
        """Show the writer what is compared, so that it reads whole what records may show a part of."""
        fields = {name: columns.fields.get(name) or columns.aliases.get(name) for name in one.values}
        with suppress(Unwritable, Skipped):
            self._writer.screen(spec, {field: one.values[name] for name, field in fields.items() if field is not None})


def _differs(one: WrittenRecord, record: Snapshot, columns: Columns) -> bool:
    return next(_differences(one, record, columns), None) is not None


def _differences(one: WrittenRecord, record: Snapshot, columns: Columns) -> Iterator[Different]:
    for name, shown in one.values.items():
        field = columns.fields.get(name) or columns.aliases.get(name)
        if field is None or field.kind is None:
            yield Different(one.stream, one.key, one.crm_id, name, shown)
            continue
        if field.only_new:
            continue
        present = value_in(record, field)
        if not any(_holds(field.kind, present, value) for value in (shown, *one.others.get(name, ()))):
            yield Different(one.stream, one.key, one.crm_id, name, shown, field.kind.show(present))


def _holds(kind: Kind, present: Any, shown: Any) -> bool:  # noqa: ANN401
    try:
        return kind.holds(present, kind.read(shown))
    except Unwritable:
        return False
