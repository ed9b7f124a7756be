"""Reads records again by their ids, and finds out which of them are deleted.

That a record is deleted is believed where the CRM itself says twice, some time apart, that there is no such record.
Whatever else it answers proves nothing: it is asked again by the next run.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from tap_crm import errors
from tap_crm.messages import Page
from tap_crm.shaping.moments import from_epoch, to_epoch
from tap_crm.shaping.schema import DELETED_AT
from tap_crm.sync.missed import changes_in

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from tap_crm.contract.hints import Key
    from tap_crm.contract.stream import ById, Reading

_log = logging.getLogger("tap-crm")

#: Deleted records that are emitted at a time.
RECORDS_AT_ONCE = 500


class LookUp:
    """One look at some records of a stream.

    Args:
        reading: of the stream; its rows are emitted there.
        by_id: how they are read.
        body: returns the body of the event at a place; None if it is not there any more.

    Attributes:
        again: the keys of records of which nothing is known yet.
        gone: the keys of records that are deleted.
        denied: the keys of records that are not at their own addresses.
        elsewhere: those of them that are there all the same.
        gave_up: the CRM did not answer: there is no use in asking for more.
    """

    def __init__(self, reading: Reading, by_id: ById, body: Callable[[int], bytes | None]) -> None:
        self._reading, self._by_id, self._body = reading, by_id, body
        self.again: list[Key] = []
        self.gone: list[Key] = []
        self.denied: set[Key] = set()
        self.elsewhere: list[Key] = []
        self.gave_up = False
        self._notes: dict[str, int] = {}

    def read(self, keys: Mapping[Key, int]) -> None:
        """Read records; may be called for some after others.

        Args:
            keys: of each record, with the place of the event that says it is deleted; 0 where none does.
        """
        living = [key for key, place in keys.items() if not place]
        # A search may show a deleted record for a while, and lack a new one: what it lacks is asked for by itself.
        missing = self._read_together(living)
        alone = set(missing)
        denied = self._read_each([key for key, place in keys.items() if place or key in alone])
        self.denied.update(denied)
        self._tell_gone(self._read_each(self._not_elsewhere(denied)), keys)

    def conclude(self) -> None:
        """Note what came of it, at last."""
        for text, count in self._notes.items():
            self._reading.ledger.note(f"events: {count} {text}")

    def _read_together(self, keys: Sequence[Key]) -> list[Key]:
        """Read records some at a time; return the keys of those that did not come."""
        missing: list[Key] = []
        if self._by_id.some is None:
            return list(keys)
        for start in range(0, len(keys), self._by_id.at_once):
            some = keys[start : start + self._by_id.at_once]
            try:
                page = self._by_id.some(self._reading, some)
            except (errors.Refused, errors.NotThere):
                page = None
            except errors.GaveUp as error:
                self._postpone([*missing, *keys[start:]], error)
                return []
            except errors.CredentialsRefused:
                raise
            except errors.ReadError:  # an answer that is of no use for all of them may be of use for each
                page = None
            if page is None:  # ids are not heeded here
                return [*missing, *keys[start:]]
            found = self._emit(page, some)
            missing += [key for key in some if key not in found]
        return missing

    def _read_each(self, keys: Sequence[Key]) -> list[Key]:
        """Read records one by one; return the keys of those of which the CRM says that there are none."""
        denied: list[Key] = []
        for at, key in enumerate(keys):
            try:
                page = self._by_id.one(self._reading, key)
            except errors.NotThere as refusal:
                if self._by_id.is_missing(refusal.said):
                    denied.append(key)
                else:
                    self.again.append(key)
                    self._note(
                        "records were answered with 404 in a form that may be a proxy's; they are asked for again"
                    )
            except (errors.Forbidden, errors.Refused) as refusal:
                is_right = isinstance(refusal, errors.Forbidden)
                self._note(
                    "records may not be read with this key (403)"
                    if is_right
                    else "records were asked for in vain: the CRM refused their ids"
                )
            except errors.GaveUp as error:
                # The last one the next time: it may never be answered, and the others would wait behind it.
                self._postpone([*keys[at + 1 :], key], error)
                return denied
            except errors.CredentialsRefused:
                raise
            except errors.ReadError:
                self.again.append(key)
                self._note(
                    "records were answered in a way that is of no use, such as a redirect; they are asked for again"
                )
            else:
                if key not in self._emit(page, (key,)):
                    self._note("records were answered with another one")
        return denied

    def _not_elsewhere(self, keys: Sequence[Key]) -> list[Key]:
        """Return those of the denied records that are nowhere; emit those that are there all the same."""
        if self._by_id.elsewhere is None:
            return list(keys)
        nowhere: list[Key] = []
        for start in range(0, len(keys), self._by_id.at_once):
            some = keys[start : start + self._by_id.at_once]
            try:
                told = self._by_id.elsewhere(self._reading, some)
            except errors.GaveUp as error:
                self._postpone(keys[start:], error)
                return nowhere
            except errors.CredentialsRefused:
                raise
            except errors.ReadError:
                told = None
            if told is None:
                self.again += some
                self._note("records were denied, and may be there all the same; they are asked for again")
                continue
            found = self._emit(told.page, some)
            self.elsewhere += found
            self.again += [key for key in some if key in told.doubtful]
            nowhere += [key for key in some if key not in found and key not in told.doubtful]
        return nowhere

    def _note(self, text: str) -> None:
        self._notes[text] = self._notes.get(text, 0) + 1

    def _postpone(self, keys: Sequence[Key], error: errors.GaveUp) -> None:
        """Leave records to the next run: what the poll read is complete without them."""
        self.again += keys
        self.gave_up = True
        _log.warning(
            "%s: %d records of which events told could not be read; the next run asks again: %s",
            self._reading.spec.name,
            len(keys),
            error,
        )
        text = "records could not be read; the next run asks again"
        self._notes[text] = self._notes.get(text, 0) + len(keys)

    def _emit(self, page: Page, asked: Collection[Key]) -> set[Key]:
        """Emit of a page what was asked for, and what a complete read would have, too; return which keys it has."""
        reading = self._reading
        wanted, start = set(asked), reading.settings.start_date
        rows = list(changes_in(page, reading.spec))
        keep = [
            at
            for at, (key, _, by, _) in enumerate(rows)
            if key in wanted and (start is None or by is None or by >= start)
        ]
        if keep:
            reading.emit(_some_of(page, keep))
            deleted = [rows[at][0] for at in keep if rows[at][3]]
            self.gone += deleted
            reading.ledger.add(pages=1, hinted_rows=len(keep), deletions=len(deleted))
        return {key for key, *_ in rows} & wanted

    def _tell_gone(self, keys: Sequence[Key], places: Mapping[Key, int]) -> None:
        """Emit what is deleted, once more."""
        self.gone += keys
        ledger = self._reading.ledger
        if keys and DELETED_AT not in self._reading.fields:  # the row would be nulls, and not marked
            text = f"{len(keys)} deletions are not told: `{DELETED_AT}` is not selected, or the catalog is old"
            ledger.note(f"events: {text}")
            _log.warning("%s: %s; run discovery again", self._reading.spec.name, text)
            return
        for start in range(0, len(keys), RECORDS_AT_ONCE):
            found = [self._last_content(key, places.get(key, 0)) for key in keys[start : start + RECORDS_AT_ONCE]]
            records = [one for one in found if one is not None and self._was_wanted(one)]
            for one in found:
                if one is None:
                    self._note("deletions were told without the record; the next reconcile marks them")
            if records:
                self._reading.emit(Page(records=records))
                ledger.add(hinted_rows=len(records), deletions=len(records))

    def _last_content(self, key: Key, place: int) -> dict[str, Any] | None:
        """Return a deleted record as it is emitted."""
        now = from_epoch(int(self._reading.transport.clock.now()))
        name = self._reading.spec.primary_key[0]
        if self._by_id.last_content is None:
            return {name: key, DELETED_AT: now}
        body = self._body(place) if place else None
        content = None if body is None else self._by_id.last_content(body, key)
        return None if content is None else {DELETED_AT: now, **content, name: key}

    def _was_wanted(self, record: Mapping[str, Any]) -> bool:
        """Tell whether ``start_date`` did not keep a record from being loaded, as far as its content says."""
        start, by = self._reading.settings.start_date, self._reading.spec.replication_key
        at = to_epoch(record.get(by)) if by is not None else None
        return start is None or at is None or at >= start


def _some_of(page: Page, keep: Sequence[int]) -> Page:
    """Return a page of those at some positions of a page's records."""
    if page.body is None:
        return Page(records=[(page.records or ())[at] for at in keep])
    kept = list(page.kept(range(len(page.rows or page.decoded()))))
    return Page(page.body, [kept[at] for at in keep], within=page.within, rows=page.rows, times=page.times)
