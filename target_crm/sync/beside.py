"""What other streams have written to the same object, and an index may not show yet: it is not made twice."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from target_crm.sync.keys import spelled_alike
from target_crm.sync.looking import has_key

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from target_crm.contract import Field, Snapshot
    from target_crm.journal.belonging import Belonging
    from target_crm.sync.items import Item, StreamRun
    from target_crm.sync.looking import Looking
    from target_crm.sync.run_file import RunFile


class Beside:
    """The records of other streams of one run.

    Args:
        belonging: knows which streams are written to one object, and what was written.
        looking: reads records.
        memory: remembers the keys of this run.
    """

    def __init__(self, belonging: Belonging, looking: Looking, memory: RunFile) -> None:
        self._belonging = belonging
        self._looking = looking
        self._memory = memory

    def add(
        self, run: StreamRun, fields: Sequence[Field], found: Mapping[Item, Sequence[Snapshot]]
    ) -> dict[Item, Sequence[Snapshot]]:
        """Return what was found; where that is nothing, what another stream has written under the key.

        Args:
            run: the stream.
            fields: those by which its records are found.
            found: the CRM's records by item.
        """
        keys = {item: {item.key, self._first(run, fields, item)} for item, records in found.items() if not records}
        written = self._belonging.written_beside(run.name, sorted(set().union(*keys.values())))
        candidates = {item: sorted(set().union(*(written.get(key, ()) for key in of))) for item, of in keys.items()}
        known: dict[Item, dict[str, Snapshot]] = {}
        ended: set[Item] = set()
        for turn in range(max(map(len, candidates.values()), default=0)):
            ids = {
                item: run.typed_id(own[turn])
                for item, own in candidates.items()
                if turn < len(own) and item not in ended
            }
            there = self._looking.read(run, ids, dict.fromkeys(ids.values(), math.inf))
            ended.update(ids.keys() - there.keys())
            for item, record in there.items():
                if record is not None and has_key(record, item, fields):
                    known.setdefault(item, {})[str(record.id)] = record
        return {
            item: tuple(known[item].values()) if item in known else records
            for item, records in found.items()
            if item not in ended
        }

    def _first(self, run: StreamRun, fields: Sequence[Field], item: Item) -> str:
        """Return the key that came first in this run of those that the CRM may take for this one."""
        kind = fields[0].kind if len(fields) == 1 else None
        alike = spelled_alike(item.key if kind is None else kind.near(item.key))
        return self._memory.claim(f"~{run.spec.name}", alike, item.key)
