"""What is done for the records of one stream before anything is sent: mean, find, read, compare.

It is long because each of these decides which records go on to the next, and all must decide it alike.
"""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any, Protocol

from target_crm.contract import CREATE, DELETE, UPDATE, Skipped, Unwritable, Write
from target_crm.journal.entries import key_text
from target_crm.sync.difference import difference, references
from target_crm.sync.items import CONFLICT, CREATED, REJECTED, SKIPPED, UNCHANGED, UPDATED
from target_crm.sync.keys import spelled_alike
from target_crm.sync.looking import has_key, key_values

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from target_crm.contract import Field, Snapshot, Writer
    from target_crm.journal.journal import Journal
    from target_crm.sync.beside import Beside
    from target_crm.sync.ends import Ends
    from target_crm.sync.fields import Names
    from target_crm.sync.items import Item, StreamRun
    from target_crm.sync.looking import Looking
    from target_crm.sync.run_file import RunFile

GONE = (
    "the CRM has no such record any more, though this journal has written it; to make it anew, "
    "`target-crm-journal drop` its key"
)
NOT_THERE = "the CRM has no such record, and `mode` is update"
MOVED = (
    "a search found the CRM's record {id}, which has another key by now; the search lags, and this record is tried "
    "again at the end of the next run"
)


class MayCome(Protocol):
    """Tells whether records of an object may still come in to which a stream refers."""

    def __call__(self, name: str, run: StreamRun, *, is_key: bool) -> bool:
        """Tell it of an object ("" for any); ``is_key``: what refers to it cannot be sent as an id."""
        ...


class Steps:
    """The steps of one run.

    Args:
        writer: the CRM.
        journal: what is known of keys.
        ends: takes those that need no write.
        looking: asks the CRM.
        names: returns what the names in an item's record mean.
        may_come: tells whether records of an object may still come in, to which others refer.
        hold: takes an item that has to wait for the end of the input.
        is_awaited: tells of an object and a key whether its record is still to be written, as far as that is known.
        memory: remembers which key a record of the CRM is.
        beside: knows what other streams have written to the same object.
    """

    def __init__(  # noqa: PLR0913 - it is made in one place
        self,
        *,
        writer: Writer,
        journal: Journal,
        ends: Ends,
        looking: Looking,
        names: Callable[[Item], Names],
        may_come: MayCome,
        hold: Callable[[Item], None],
        is_awaited: Callable[[str, str], bool],
        memory: RunFile,
        beside: Beside,
    ) -> None:
        self._writer = writer
        self._journal = journal
        self._ends = ends
        self._looking = looking
        self._names = names
        self._may_come = may_come
        self._hold = hold
        self._is_awaited = is_awaited
        self._memory = memory
        self._beside = beside

    # What is meant

    def mean(self, items: Iterable[Item]) -> list[Item]:
        """Return the items whose fields are understood; others are rejected, skipped, or wait."""
        understood = [item for item in items if self._attempt(item, self._mean)]
        return self._refer(understood)

    def _mean(self, item: Item) -> None:
        value = item.shown if len(item.stream.match) == 1 else None
        item.wanted, item.own_time = self._names(item).wanted(item.record, value)
        if not item.is_deletion:
            self._writer.screen(item.stream.spec, item.wanted)

    def _attempt(self, item: Item, step: Callable[[Item], None]) -> bool:
        """Tell whether a step succeeds; the item ends if it does not."""
        try:
            step(item)
        except Unwritable as why:
            self._ends.end(item, REJECTED, str(why))
        except Skipped as why:
            self._ends.end(item, SKIPPED, str(why))
        else:
            return True
        return False

    def _refer(self, items: list[Item]) -> list[Item]:
        """Replace keys of records that were written by the CRM's ids."""
        referring = [
            (item, field, reference)
            for item in items
            if not item.is_deletion or item.stream.spec.composite
            for field, value in item.wanted.items()
            for reference in references(item, field, value)
        ]
        if not referring:
            return items
        written = self._journal.ids_of({(name, key_text([key])) for _, _, (name, key) in referring})
        referring = self._told_apart(referring, written)
        out: set[Item] = set()
        replaced: dict[tuple[Item, Field], dict[Any, str]] = {}
        for item, field, (name, key) in referring:
            ids = written.get((name, key_text([key])), set())
            if item in out:
                continue
            if len(ids) == 1:
                replaced.setdefault((item, field), {})[key] = next(iter(ids))
            elif ids:
                of = f" of {name}" if name else ""
                self._ends.end(item, REJECTED, f"`{field.name}`: `{key}` is the key of {len(ids)} records{of}")
                out.add(item)
            elif self._may_come(name, item.stream, is_key=not _is_writable(field, item.wanted.get(field))):
                self._hold(item)
                out.add(item)
            elif field.custom is not None and not item.is_second and self._is_awaited(name, key_text([key])):
                # Two may refer to each other by custom fields; of other fields the order of objects makes no circles,
                # and without them a record may be made that cannot be mended.
                item.waits_for_others = True
                item.wanted.pop(field, None)
        for (item, field), found in replaced.items():
            if field.kind is not None and field in item.wanted:
                item.wanted[field] = field.kind.referring_all(item.wanted[field], found)
        return [item for item in items if item not in out]

    def _told_apart(
        self,
        referring: Sequence[tuple[Item, Field, tuple[str, Any]]],
        written: dict[tuple[str, str], set[str]],
    ) -> list[tuple[Item, Field, tuple[str, Any]]]:
        """Return references with their objects, where a key is that of several records and the account tells which."""
        told: list[tuple[Item, Field, tuple[str, Any]]] = []
        for item, field, (name, key) in referring:
            text = key_text([key])
            of = (
                self._writer.leads_to(item.stream.spec, field)
                if not name and len(written.get((name, text), ())) > 1
                else None
            )
            if of is not None and (of, text) not in written:
                written |= self._journal.ids_of({(of, text)})
            told.append((item, field, (of or name, key)))
        return told

    # Which of the CRM's records it is

    def identify(self, run: StreamRun, items: list[Item]) -> tuple[list[Item], list[Item]]:
        """Return the items whose record is known, or known not to be there, and those of which that is open.

        Open is what an earlier run may have made.
        """
        keys = [item.key for item in items]
        known = self._journal.known(run.name, keys)
        opened = self._journal.open_intents(run.name, keys) if self._journal.has_open(run.name) else {}
        clear, uncertain, unknown = [], [], []
        for item in items:
            intents = opened.get(item.key, [])
            item.intents = [intent.id for intent in intents]
            for intent in intents:
                item.changes.update(json.loads(intent.changes))
            item.meant = min((intent.at for intent in intents), default=None)
            item.known = known.get(item.key)
            if item.known is not None:
                item.crm_id = item.known.crm_id
                if not self._is_alone(run, item, item.known.crm_id):
                    continue
                if run.settings.mode == "create" and not (item.intents or item.is_deletion or item.is_second):
                    self._ends.end(item, SKIPPED, "it is there already, and `mode` is create")
                else:
                    clear.append(item)
            elif any(intent.action == CREATE for intent in intents):
                item.sent = max(intent.at for intent in intents)
                uncertain.append(item)
            else:
                unknown.append(item)
        return [*clear, *self._find(run, unknown)], uncertain

    def _find(self, run: StreamRun, items: list[Item]) -> list[Item]:
        """Ask the CRM which of its records these are."""
        if not items:
            return []
        names = self._names(items[0])
        if run.is_by_id:
            return self._find_by_id(run, items)
        if names.external is None and run.settings.mode == "create" and not items[0].is_deletion:
            return items
        fields = (names.external,) if names.external is not None else names.matching(run.match)
        items = [item for item in items if self._is_first(run, fields, item)]
        found = self._without_deleted(run, self._looking.find(run, fields, items))
        found = self._beside.add(run, fields, found)
        return [item for item, records in found.items() if self._is_settled(run, item, records)]

    def _is_first(self, run: StreamRun, fields: Sequence[Field], item: Item) -> bool:
        """Tell whether no other key of this run is the same to the CRM: what has neither would be made twice."""
        kind = fields[0].kind if len(fields) == 1 else None
        alike = spelled_alike(item.key if kind is None else kind.near(item.key))
        other = self._memory.claim(run.name, f"~{alike}", item.key)
        if other == item.key:
            return True
        values = [other] if len(fields) == 1 else json.loads(other)
        try:
            is_same = all(
                field.kind is not None and field.kind.holds(field.kind.read(value), own)
                for field, value, own in zip(fields, values, key_values(item, fields), strict=True)
            )
        except Unwritable:
            return True
        if is_same:
            self._ends.end(item, REJECTED, f"the key `{other}` is the same to the CRM, and came before in this run")
        return not is_same

    def _without_deleted(
        self, run: StreamRun, found: Mapping[Item, Sequence[Snapshot]]
    ) -> dict[Item, Sequence[Snapshot]]:
        """Return what was found, without what this journal has deleted: an index may still have it."""
        deleted = self._journal.deleted(run.name, [item.key for item in found])
        doubtful = {
            item: record.id
            for item, records in found.items()
            for record in records
            if str(record.id) == deleted.get(item.key)
        }
        there = self._looking.read(run, doubtful, dict.fromkeys(doubtful.values(), math.inf))
        return {
            item: [one for one in records if one.id != doubtful.get(item) or there[item] is not None]
            for item, records in found.items()
            if item not in doubtful or item in there
        }

    def _find_by_id(self, run: StreamRun, items: list[Item]) -> list[Item]:
        """Ask for the records with these ids; one that is not there is new."""
        if run.settings.mode == "create" and not items[0].is_deletion:
            return items
        if run.spec.has_spelled_ids:
            fields = self._names(items[0]).matching(run.match)
            items = [item for item in items if self._is_first(run, fields, item)]
        ids = {item.key: run.typed_id(item.key) for item in items}
        deleted = self._journal.deleted(run.name, list(ids))
        # A search that has one of them not may lag: that it is not there has to be certain, as it is made then.
        since = {one: math.inf if key in deleted else 0.0 for key, one in ids.items()}
        found = self._looking.read(run, {item: ids[item.key] for item in items}, since)
        return [
            item for item, record in found.items() if self._is_settled(run, item, () if record is None else (record,))
        ]

    def _is_settled(self, run: StreamRun, item: Item, records: Sequence[Snapshot]) -> bool:
        """Tell whether an item goes on, with the record that was found, if any."""
        if len(records) > 1:
            ids = ", ".join(sorted(str(record.id) for record in records))
            self._ends.end(item, REJECTED, f"the CRM has more than one record that matches: {ids}")
            return False
        if not records:
            if run.settings.mode == "update" and not item.is_deletion:
                self._ends.end(item, SKIPPED, NOT_THERE)
                return False
            return True
        item.find(records[0])
        if not self._is_alone(run, item, str(records[0].id)):
            return False
        if run.settings.mode == "create" and not item.is_deletion:
            self._ends.end(item, SKIPPED, "it is there already, and `mode` is create")
            return False
        return True

    def _is_alone(self, run: StreamRun, item: Item, crm_id: str) -> bool:
        """Tell whether no other key of this run is the same record of the CRM: they would be written in turn."""
        is_certain = run.is_by_id and not run.spec.has_spelled_ids
        other = item.key if is_certain else self._memory.claim(run.name, crm_id, item.key)
        if other == item.key:
            return True
        item.crm_id = item.found = None
        self._ends.end(item, REJECTED, f"the CRM's record {crm_id} is the one of the key `{other}`, too")
        return False

    # What the CRM has

    def read(self, run: StreamRun, items: list[Item]) -> list[Item]:
        """Read the records of items whose id is known; one that is gone is rejected."""
        ids = {item: run.typed_id(item.crm_id) for item in items if item.crm_id and item.found is None}
        since = {one: (item.known.changed if item.known else None) or 0.0 for item, one in ids.items()}
        found = self._looking.read(run, ids, since)
        kept = []
        for item in items:
            if item in ids and item not in found:
                continue
            record = found.get(item)
            if record is not None:
                item.find(record)
            elif item in ids and not item.is_deletion:
                self._ends.end(item, REJECTED, GONE)
                continue
            kept.append(item)
        return self._made_sure(run, kept)

    def _made_sure(self, run: StreamRun, items: list[Item]) -> list[Item]:
        """Read again what would be written over, and comes from an index that may lag."""
        doubtful = [item for item in items if item.found is not None and self._is_doubtful(item, item.found)]
        if not doubtful:
            return items
        ids = {item: item.found.id for item in doubtful if item.found is not None}
        found = self._looking.read(run, ids, dict.fromkeys(ids.values(), math.inf))
        ended = {item for item in ids if item not in found}
        for item, record in found.items():
            key = ids[item]
            if record is not None:
                item.find(record)
                if item.known is None and not item.made and not run.is_by_id and not self._still_matches(item, record):
                    self._ends.end(item, REJECTED, MOVED.format(id=key))
                    ended.add(item)
            elif item.known is not None and not item.is_deletion:
                self._ends.end(item, REJECTED, GONE)
                ended.add(item)
            elif run.settings.mode == "update" and not item.is_deletion:
                self._ends.end(item, SKIPPED, NOT_THERE)
                ended.add(item)
            else:
                item.found = item.crm_id = None
        return [item for item in items if item not in ended]

    @staticmethod
    def _is_doubtful(item: Item, record: Snapshot) -> bool:
        """Tell whether what would be done with an item may be wrong because an index has an old version of its record.

        What was searched just now is good enough to be written over by whole values; not where these are made of what
        is there, where a later change of somebody else's counts, or where something may be deleted.
        """
        if not record.is_indexed and not record.is_searched:
            return False
        if item.is_deletion:  # one that was sent may have taken effect since the search
            was_sent = item.sent is not None
            is_minded = item.known is None or item.stream.settings.conflict != "overwrite"
            return record.is_indexed or was_sent or is_minded
        try:
            differs = difference(record, item.wanted, item.stream.settings)
        except Unwritable:
            return True
        is_minded = item.stream.settings.conflict != "overwrite" and item.own_time is not None
        return bool(differs.values) and (record.is_indexed or differs.depends or is_minded)

    def _still_matches(self, item: Item, record: Snapshot) -> bool:
        """Tell whether a record that a search found by what our record says has that, as it is now."""
        names = self._names(item)
        fields = (names.external,) if names.external is not None else names.matching(item.stream.match)
        return has_key(record, item, fields)

    # What is to be done

    def plan(self, item: Item) -> Write | None:
        """Return what is to be sent; None where nothing is: the item has ended then."""
        try:
            return self._plan(item)
        except Unwritable as why:
            self._ends.end(item, REJECTED, str(why))
        except Skipped as why:
            self._ends.end(item, SKIPPED, str(why))
        return None

    def _plan(self, item: Item) -> Write | None:
        run = item.stream
        if item.is_deletion:
            return self._deletion(item)
        wanted = difference(item.found, item.wanted, run.settings)
        item.changes = {**item.changes, **wanted.changes}
        if item.found is not None and not wanted.values:
            was_sent = CREATED if item.made else UPDATED if item.attempts or item.intents else None
            # Whose the last change is cannot be told here: only an answer tells the time of our own.
            self._ends.end(item, was_sent or UNCHANGED, changes=was_sent is not None)
            return None
        if item.found is not None and not item.made and not item.is_second and self._is_conflict(item):
            return None
        action = CREATE if item.found is None else UPDATE
        if action not in run.spec.actions:
            raise Unwritable(f"{run.spec.name} cannot be {'made' if action == CREATE else 'changed'} by the API")
        crm_id = None if item.found is None else item.found.id
        key, again = self._names(item).external, item.attempts > 0 or bool(item.intents)
        is_union = run.settings.arrays == "union"
        write = Write(action, crm_id, wanted.values, item.found, key, again=again, is_union=is_union)
        for field, value in wanted.values.items():
            if field.kind is not None:
                field.kind.write(value)
        self._writer.check(run.spec, write, item.wanted)
        return write

    def _deletion(self, item: Item) -> Write | None:
        if item.found is None:
            outcome = "deleted" if item.attempts or item.known is not None else UNCHANGED
            self._ends.end(item, outcome, "the CRM has no such record")
            return None
        if DELETE not in item.stream.spec.actions:
            raise Unwritable(f"{item.stream.spec.name} cannot be deleted by the API")
        if not item.attempts and self._is_conflict(item):
            return None
        return Write(DELETE, item.found.id, {}, item.found)

    def _is_conflict(self, item: Item) -> bool:
        """Tell whether somebody else changed the record after the time that ours carries; the item has ended then."""
        policy = item.stream.settings.conflict
        changed = None if item.found is None else item.found.changed
        if policy == "overwrite" or item.own_time is None or changed is None or changed <= item.own_time:
            return False
        if item.known is not None and item.known.changed is not None and changed <= item.known.changed:
            return False  # the last change is our own
        reason = "the CRM's record was changed later than this one"
        self._ends.end(item, SKIPPED if policy == "skip" else CONFLICT, reason, changes=True)
        return True


def _is_writable(field: Field, value: Any) -> bool:  # noqa: ANN401
    """Tell whether the CRM can be given a value as it is: not if it is a key of a record that is not written yet."""
    try:
        _ = None if field.kind is None else field.kind.write(value)
    except Unwritable:
        return False
    return True
