"""Sends what differs: the intent first, then the request, then its end."""

from __future__ import annotations

import json
import logging
from contextlib import suppress
from math import inf
from typing import TYPE_CHECKING, Any

from tap_crm import errors
from target_crm.contract import CREATE, DELETE, UPDATE, InDoubt, NotTaken, Written
from target_crm.journal.entries import Intent
from target_crm.sync.asking import AT_ONCE, first_done
from target_crm.sync.difference import holds, ignored, value_in
from target_crm.sync.items import CREATED, DELETED, REJECTED, UPDATED

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Collection, Mapping, Sequence
    from concurrent.futures import Future

    from target_crm.contract import Answer, Id, Snapshot, Write
    from target_crm.journal.journal import Journal
    from target_crm.sync.asking import Asking
    from target_crm.sync.ends import Ends
    from target_crm.sync.items import Item, StreamRun

_log = logging.getLogger("target-crm")
_HALF_A_SECOND, _HALF_A_MILLISECOND = 0.5, 0.0005
_OUTCOMES = {CREATE: CREATED, UPDATE: UPDATED, DELETE: DELETED}
Pair = tuple["Item", "Write"]


class Sending:
    """The writes of one run.

    Args:
        asking: sends.
        journal: keeps what is meant.
        ends: takes what became of it.
        uncertain: takes items of which nobody knows whether they were written.
        stopping: set when nothing more is to be sent.
        now: returns epoch seconds.
    """

    def __init__(  # noqa: PLR0913 - it is made in one place
        self,
        asking: Asking,
        journal: Journal,
        ends: Ends,
        uncertain: Callable[[Item], None],
        stopping: threading.Event,
        *,
        now: Callable[[], float],
    ) -> None:
        self._asking = asking
        self._journal = journal
        self._ends = ends
        self._uncertain = uncertain
        self._stopping = stopping
        self._now = now

    def send(self, run: StreamRun, pairs: Sequence[Pair]) -> None:
        """Send the writes of different records side by side; all of them are settled, or uncertain, when it returns.

        Raises:
            CrmError: the credentials were refused, or the CRM does not answer: nothing more can be sent.
            Cancelled: the run is ending.
        """
        for action in (CREATE, UPDATE, DELETE):
            chosen = [pair for pair in pairs if pair[1].action == action]
            if self._asking.dry:
                self._imagine(chosen)
            else:
                self._send(run, chosen, run.spec.bulk.get(action, 1))

    def _imagine(self, pairs: Sequence[Pair]) -> None:
        """Say what would be done."""
        for item, write in pairs:
            record = self._asking.imagine(item.stream.spec, write)
            if record is not None:
                item.find(record)
            self._ends.end(item, _outcome(item, write), changes=True)

    def _send(self, run: StreamRun, pairs: Sequence[Pair], size: int) -> None:
        waiting = [list(pairs[start : start + size]) for start in range(0, len(pairs), size)]
        under_way: dict[Future[Sequence[Answer]], list[Pair]] = {}
        failure: Exception | None = None
        while (waiting and failure is None) or under_way:
            if self._stopping.is_set():
                failure = failure or errors.Cancelled()
            while waiting and failure is None and len(under_way) < AT_ONCE:
                part = waiting.pop(0)
                if run.stopped is None:
                    under_way[self._dispatch(run, part)] = part
                else:
                    self._leave_out(part, run.stopped)
            for future in first_done(under_way) if under_way else ():
                part = under_way.pop(future)
                try:
                    waiting[:0] = self._conclude(run, part, future)
                except (errors.ReadError, errors.Cancelled) as end:
                    self._unsend(part)
                    failure = failure or end
                self._ends.settle()
        self._ends.settle()
        if failure is not None:
            raise failure

    def _conclude(self, run: StreamRun, part: list[Pair], future: Future[Sequence[Answer]]) -> list[list[Pair]]:
        """Take what became of a request; return what is to be sent in smaller ones."""
        try:
            self._take(run, part, future.result())
        except (errors.Refused, errors.NotThere) as refusal:
            if isinstance(refusal, errors.NotThere) and part[0][1].action == DELETE:
                self._doubt(part)  # it was there just now: whether it is gone is looked for
                return []
            self._unsend(part)
            if len(part) > 1:  # the CRM refuses the request as a whole, so it has to say which record is meant
                return [[pair] for pair in part]
            self._refuse(part[0], refusal)
        except errors.Forbidden as refusal:
            self._unsend(part)
            self._ends.stop(run, str(refusal))
            self._leave_out(part, str(run.stopped))
        except errors.EffectUnknown as doubt:
            _log.warning("%s", doubt)
            self._doubt(part)
        return []

    def _dispatch(self, run: StreamRun, part: Sequence[Pair]) -> Future[Sequence[Answer]]:
        """Keep what is meant, then send it."""
        intents = [
            Intent(run.name, item.key, run.spec.name, write.action, item.crm_id, json.dumps(item.changes, default=str))
            for item, write in part
        ]
        for (item, _), number in zip(part, self._journal.mean(intents), strict=True):
            item.note_sent(number, self._now())
        return self._asking.submit(run.spec, [write for _, write in part])

    def _take(self, run: StreamRun, part: Sequence[Pair], answers: Sequence[Answer]) -> None:
        if len(answers) != len(part):  # which of them is whose cannot be told
            self._doubt(part)
            return
        doubtful: list[tuple[Item, Write, Snapshot]] = []
        others = self._of_others(run, part, answers)
        for at, ((item, write), answer) in enumerate(zip(part, answers, strict=True)):
            if isinstance(answer, NotTaken):
                self._reject(item, write, answer)
                continue
            if isinstance(answer, InDoubt) or at in others:
                self._uncertain(item)
                continue
            item.crm_id = str(answer.id)
            item.made = item.made or write.action == CREATE
            if answer.record is not None and ignored(answer.record, write):
                doubtful.append((item, write, answer.record))
            else:
                self._written(item, write, answer)
        if doubtful:
            self._look_again(run, doubtful)

    def _of_others(self, run: StreamRun, part: Sequence[Pair], answers: Sequence[Answer]) -> set[int]:
        """Return the positions of answers that are about another record than the one that was sent.

        So they say nothing of it; taken for its own, they would let the next change go to that other record.
        """
        written = {at: answer for at, answer in enumerate(answers) if isinstance(answer, Written)}
        made = [str(answer.id) for at, answer in written.items() if part[at][1].id is None]
        owners = self._journal.keys_of(run.name, made) if made else {}
        writes = [write for _, write in part]
        found = set()
        for at, answer in written.items():
            item, write = part[at]
            if write.id is not None:
                is_other = not run.spec.is_same_id(answer.id, write.id)
            else:
                is_other = owners.get(str(answer.id), item.key) != item.key or made.count(str(answer.id)) > 1
            if is_other or (answer.record is not None and _is_of_another(answer.record, at, writes, run.spec.unique)):
                found.add(at)
        if found:
            _log.warning("%s: %d of %d answers are about another record than was sent", run.name, len(found), len(part))
        return found

    def _look_again(self, run: StreamRun, doubtful: Sequence[tuple[Item, Write, Snapshot]]) -> None:
        """Read records whose answers do not have what was sent: what they still have not, the CRM ignores."""
        since = {record.id: inf if record.changed is None else record.changed for _, _, record in doubtful}
        found: Mapping[Id, Snapshot] = {}
        with suppress(errors.ReadError, errors.Cancelled):  # they are written: the answers have to do then
            found = self._asking.read(run.spec, [record.id for _, _, record in doubtful], since)
        for item, write, record in doubtful:
            now = found.get(record.id, record)
            if write.id is None and _is_of_another(now, 0, [write], run.spec.unique):
                item.crm_id, item.made = None, False
                self._uncertain(item)
                continue
            names = ignored(now, write)
            if not names:
                self._written(item, write, Written(now.id, now))
                continue
            item.changes = {name: pair for name, pair in item.changes.items() if name not in names}
            listed = ", ".join(f"`{name}`" for name in names)
            self._ends.end(item, REJECTED, f"the CRM ignored {listed}", changes=True, changed=now.changed)

    def _written(self, item: Item, write: Write, answer: Written) -> None:
        known = (None if write.present is None else write.present.changed, item.known.changed if item.known else None)
        before = max((one for one in known if one is not None), default=None)
        changed = None if answer.record is None else _changed(before, answer.record.changed)
        self._ends.end(item, _outcome(item, write), changes=True, changed=changed)

    def _refuse(self, pair: Pair, refusal: errors.FinalWord) -> None:
        gone = isinstance(refusal, errors.NotThere) and pair[1].action != CREATE
        self._reject(*pair, NotTaken(refusal.said or str(refusal), gone=gone))

    def _reject(self, item: Item, write: Write, answer: NotTaken) -> None:
        if answer.gone and write.action == DELETE:
            self._ends.end(item, DELETED, "the CRM has no such record")
        else:
            self._ends.end(item, REJECTED, answer.reason or "the CRM gives no reason")

    def _doubt(self, part: Sequence[Pair]) -> None:
        for item, _ in part:
            self._uncertain(item)

    def _unsend(self, part: Sequence[Pair]) -> None:
        """Note that what was sent last had no effect."""
        self._journal.unsend([item.intents.pop() for item, _ in part])
        for item, _ in part:
            item.attempts -= 1

    def _leave_out(self, part: Sequence[Pair], reason: str) -> None:
        for item, _ in part:
            self._ends.leave_out(item, reason)


def _is_of_another(record: Snapshot, at: int, writes: Sequence[Write], unique: Collection[str]) -> bool:
    """Tell whether a record has the key of another one, or what another one of the same request was to have."""
    write = writes[at]
    if write.action == CREATE:
        for field, value in write.values.items():
            have = value_in(record, field) if field is write.key or field.name in unique else None
            if have is not None and value is not None and not holds(field, have, value):
                return True
    return bool(ignored(record, write)) and any(
        number != at and not ignored(record, other) for number, other in enumerate(writes)
    )


def _outcome(item: Item, write: Write) -> str:
    return CREATED if item.made else _OUTCOMES[write.action]


def _changed(before: float | None, after: float | None) -> float | None:
    """Return the time of our change; a little more where the CRM's clock does not tell it from an earlier one.

    So an index that has the record as it was before this change does not pass for one that has it.
    """
    if before is None or after is None or before < after:
        return after
    return after + (_HALF_A_SECOND if after == int(after) else _HALF_A_MILLISECOND)


def pairs_of(items: Sequence[Item], plan: Callable[[Item], Any]) -> list[Pair]:
    """Return the items that have something to be sent, with that."""
    planned = [(item, plan(item)) for item in items]
    return [(item, write) for item, write in planned if write is not None]
