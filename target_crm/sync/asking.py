"""Asks the CRM side by side, under the one pace that the transport keeps.

In a dry run it remembers what was not sent, and answers as if it had been.
"""

from __future__ import annotations

from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import TYPE_CHECKING, Any, TypeVar

from target_crm.contract import DELETE, NEW, Snapshot

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from target_crm.contract import Answer, Field, Id, ObjectSpec, Write, Writer
    from target_crm.sync.run_file import RunFile

T = TypeVar("T")
#: Questions under way at once: enough to use a limit of 3 a second at a latency of 2 seconds.
AT_ONCE = 8


class Asking:
    """The questions of one run.

    Args:
        writer: the CRM.
        memory: remembers what a dry run did not send.
        dry: nothing is sent, and what would have been is answered from memory.
    """

    def __init__(self, writer: Writer, memory: RunFile, *, dry: bool) -> None:
        self._writer = writer
        self._pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="target-crm")
        self.dry = dry
        self._memory = memory
        self._made = 0

    def close(self) -> None:
        """Wait for nobody any more."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def find(
        self,
        spec: ObjectSpec,
        fields: Sequence[Field],
        wanted: Sequence[tuple[Any, ...]],
        said: Sequence[Mapping[Field, Any]],
        since: float | None = None,
    ) -> list[Sequence[Snapshot]]:
        """Return for each tuple of values the records that have them; see :class:`Writer`."""
        parts = _parts(list(zip(wanted, said, strict=True)), spec.at_once)

        def ask(part: Sequence[tuple[tuple[Any, ...], Mapping[Field, Any]]]) -> Sequence[Sequence[Snapshot]]:
            return self._writer.find(spec, fields, [one for one, _ in part], since, [one for _, one in part])

        answers = self._side_by_side(ask, parts)
        return [self._as_they_would_be(spec, found) for answer in answers for found in answer]

    def read(self, spec: ObjectSpec, ids: Iterable[Id], since: Mapping[Id, float]) -> dict[Id, Snapshot]:
        """Return the records with these ids; see :class:`Writer`.

        A record with another id than was asked for, such as that into which it was merged, is not the one meant.
        """
        imagined = {one: self._memory.imagined(spec.name, str(one)) for one in ids} if self.dry else {}
        found = {one: record for one, (is_there, record) in imagined.items() if is_there}
        parts = _parts([one for one in dict.fromkeys(ids) if one not in found], spec.at_once)
        for answer in self._side_by_side(lambda part: self._writer.read(spec, part, since), parts):
            found.update({one: record for one, record in answer.items() if spec.is_same_id(record.id, one)})
        return {key: record for key, record in found.items() if record is not None}

    def submit(self, spec: ObjectSpec, writes: Sequence[Write]) -> Future[Sequence[Answer]]:
        """Send writes; the future has the answers."""
        return self._pool.submit(self._writer.send, spec, writes)

    def imagine(self, spec: ObjectSpec, write: Write) -> Snapshot | None:
        """Return what the CRM would have if a write were sent, and answer so from now on; None for a deletion.

        The id of a record that would be made is a text that no CRM has.
        """
        self._made += 1
        key = write.id if write.id is not None else f"{NEW}{spec.name} {self._made})"
        if write.action == DELETE:
            self._memory.imagine(spec.name, str(key), None)
            return None
        before = {} if write.present is None else dict(write.present.values)
        after = {field.name: field.kind.show(value) for field, value in write.values.items() if field.kind is not None}
        record = Snapshot(key, {**before, **after}, None if write.present is None else write.present.changed)
        self._memory.imagine(spec.name, str(key), record)
        return record

    def _as_they_would_be(self, spec: ObjectSpec, records: Sequence[Snapshot]) -> list[Snapshot]:
        if not self.dry:
            return list(records)
        imagined = [(record, *self._memory.imagined(spec.name, str(record.id))) for record in records]
        changed = [other if is_there else record for record, is_there, other in imagined]
        return [record for record in changed if record is not None]

    def _side_by_side(self, ask: Callable[[Sequence[Any]], T], parts: list[Sequence[Any]]) -> list[T]:
        if len(parts) == 1:
            return [ask(parts[0])]
        futures = [self._pool.submit(ask, part) for part in parts]
        try:
            return [future.result() for future in futures]
        finally:
            for future in futures:
                future.cancel()


def first_done(futures: Iterable[Future[Any]]) -> set[Future[Any]]:
    """Wait until at least one is done, and return those that are."""
    return wait(futures, return_when=FIRST_COMPLETED).done


def _parts(values: Sequence[Any], size: int) -> list[Sequence[Any]]:
    return [values[start : start + size] for start in range(0, len(values), size)]
