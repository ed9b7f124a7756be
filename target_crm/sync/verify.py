"""Reads back what a journal has written, and says where the CRM differs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from target_crm.contract import Unwritable
from target_crm.sync.difference import value_in

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from target_crm.config.settings import StreamSettings
    from target_crm.contract import Columns, Id, Snapshot, Writer
    from target_crm.journal.history import WrittenRecord

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
        since = dict.fromkeys(ids.values(), 0.0)
        found: dict[Id, Snapshot] = {}
        for start in range(0, len(part), spec.at_once):
            found.update(self._writer.read(spec, [ids[one.key] for one in part[start : start + spec.at_once]], since))
        for one in part:
            self.compared += 1
            record = found.get(ids[one.key])
            if record is None or not spec.is_same_id(record.id, one.crm_id):
                yield Different(one.stream, one.key, one.crm_id, None)
            else:
                yield from _differences(one, record, columns)


def _differences(one: WrittenRecord, record: Snapshot, columns: Columns) -> Iterator[Different]:
    for name, shown in one.values.items():
        field = columns.fields.get(name) or columns.aliases.get(name)
        if field is None or field.kind is None:
            yield Different(one.stream, one.key, one.crm_id, name, shown)
            continue
        if field.only_new:
            continue
        present = value_in(record, field)
        try:
            same = field.kind.holds(present, field.kind.read(shown))
        except Unwritable:
            same = False
        if not same:
            yield Different(one.stream, one.key, one.crm_id, name, shown, field.kind.show(present))
