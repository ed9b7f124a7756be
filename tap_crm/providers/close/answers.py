"""What Close's answers have in common, and how its refusals are to be understood.

Facts: developer.close.com, pages on pagination, errors, advanced filtering and the event log.
"""

from __future__ import annotations

import re
import threading
import time
from typing import TYPE_CHECKING, TypeVar

import msgspec

from tap_crm import errors
from tap_crm.messages import Row
from tap_crm.reading.answer import Answer
from tap_crm.shaping.moments import from_epoch, to_epoch
from tap_crm.transport.question import Doubtful, Question

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tap_crm.contract.stream import Reading
    from tap_crm.reading.answer import Continuation
    from tap_crm.reading.listing import Bound
    from tap_crm.transport.question import Reply

Parsed = TypeVar("Parsed")

#: What Close gives without being asked for a number of rows (pagination page).
USUAL_SIZE = 100
#: How often a list is asked again that says "Document has been deleted": first as it is, then in shorter pages.
ATTEMPTS_AT_A_DELETED_DOCUMENT, ATTEMPTS_BEFORE_NARROWING = 14, 3
LONGEST_REST = 1.0
_NUMBER = re.compile(r"\d+")


class Counts(msgspec.Struct, frozen=True):
    """How many records a search has."""

    total: int | None = None


class _Record(msgspec.Struct, frozen=True):
    """The fields of a record that decide how it is read; times come in several forms."""

    id: str | int | None = None
    email: str | None = None
    date_updated: str | None = None
    date_created: str | None = None
    created_at: str | None = None
    updated_at: str | None = None


class Envelope(msgspec.Struct, frozen=True):
    """What lists, searches and the event log answer with; each uses some of these fields."""

    data: list[_Record]
    has_more: bool | None = None
    total_results: int | None = None
    cursor: str | None = None
    count: Counts | None = None


#: Where an answer has its records.
DATA = "data"
_ENVELOPE = msgspec.json.Decoder(Envelope)
_RECORDS = msgspec.json.Decoder(list[_Record])


class _Fields(msgspec.Struct, frozen=True):
    data: list[dict[str, msgspec.Raw]]


_FIELDS = msgspec.json.Decoder(_Fields)


def rows_of(body: bytes, times: Sequence[str], key: str = "id") -> tuple[Row, ...]:
    """Return key and times of each record in a JSON array.

    Raises:
        Doubtful: a record has no key.
    """
    return _rows(_RECORDS.decode(body), times, key)


def _rows(records: Sequence[_Record], times: Sequence[str], key: str = "id") -> tuple[Row, ...]:
    rows: list[Row] = []
    for record in records:
        value = getattr(record, key)
        if value is None:
            raise Doubtful(f"a record has no {key}")
        rows.append(Row(value, tuple([to_epoch(getattr(record, name)) for name in times])))
    return tuple(rows)


def envelope_of(reply: Reply, times: tuple[str, ...], key: str = "id") -> tuple[Envelope, tuple[Row, ...]]:
    """Return an answer, and key and times of each record in it; a body without ``data`` is no answer."""
    envelope = _ENVELOPE.decode(reply.body)
    return envelope, _rows(envelope.data, times, key)


def check_fields(body: bytes, asked: frozenset[str]) -> None:
    """Check that a list gives the fields that were asked for by `_fields`: some come only if they are.

    A record that has others, and lacks one of these, shows that `_fields` had no effect.

    Raises:
        Doubtful: so it is.
    """
    if any(record.keys() - asked and asked - record.keys() for record in _FIELDS.decode(body).data):
        raise Doubtful("the answer has other fields than were asked for")


def moment(second: int) -> str:
    """Return a second as Close's filters take it."""
    return from_epoch(second).replace("Z", "+00:00")


def time_filters(bounds: tuple[Bound, ...]) -> dict[str, str]:
    """Return the parameters that bound a list; records carry fractions of seconds, bounds are whole ones."""
    filters: dict[str, str] = {}
    for bound in bounds:
        if bound.low is not None:
            filters[f"{bound.time}__gte"] = moment(bound.low)
        if bound.high is not None:
            filters[f"{bound.time}__lt"] = moment(bound.high + 1)
    return filters


class PageSizes:
    """How many rows each path gives at most, learned from its refusals; shared by all streams of a run."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._most: dict[str, int] = {}
        self._without: dict[str, bool] = {}

    def of(self, path: str, wanted: int) -> int:
        """Return how many rows to ask for."""
        with self._lock:
            return min(wanted, self._most.get(path, wanted))

    def is_without(self, path: str) -> bool:
        """Tell whether a path refuses to be told how many rows to give."""
        with self._lock:
            return self._without.get(path, False)

    def learn(self, path: str, asked: int, refusal: errors.Refused, *, at_start: bool, can_do_without: bool) -> bool:
        """Tell whether the refusal means that the page should be asked for otherwise, and remember how.

        That is with fewer rows, where it names a number; else without saying how many, if that was not tried yet.
        """
        said = refusal.said.lower()
        if "skip" in said or "cursor" in said or not ("limit" in said or (not said and at_start)):
            return False
        named = [int(number) for number in _NUMBER.findall(said) if 0 < int(number) < asked]
        with self._lock:
            if can_do_without and not named and path not in self._without:
                self._without[path] = True
                return True
            if asked <= 1:
                return False
            self._without[path] = False
            self._most[path] = max(named) if named else max(1, asked // 2)
        return True


def page_sizes(reading: Reading) -> PageSizes:
    """Return the page sizes learned in this run."""
    return reading.once_per_run.get(PageSizes, PageSizes)


def ask_page(  # noqa: PLR0913 - a question with a size, and how it is asked and parsed
    reading: Reading,
    path: str,
    size: int,
    build: Callable[[int], Question],
    parse: Callable[[Reply, int], Parsed],
    *,
    at_start: bool = True,
    without: Callable[[], Question] | None = None,
) -> Parsed:
    """Ask for a page of ``size`` rows, or of as many as Close gives.

    A larger page than the resource gives is refused with 400, and so is a number of rows where Close takes none. A
    list is answered with 404 and "Document has been deleted" if a record on the page was deleted while Close read it;
    it is asked for again, then in shorter pages.

    ``build`` makes the question for a number of rows, ``without`` the one that names none; ``parse`` takes the reply
    and that number.

    Raises:
        Refused: for another reason.
        GaveUp: a deleted record stays in the way.
    """
    sizes = page_sizes(reading)
    narrow = size
    attempts = 0
    while True:
        asked = min(sizes.of(path, size), narrow)
        question = build(asked)
        if without is not None and sizes.is_without(path):
            asked, question = USUAL_SIZE, without()
        try:
            return reading.ask(question, _given(asked, parse))
        except errors.Refused as refusal:
            if not sizes.learn(path, asked, refusal, at_start=at_start, can_do_without=without is not None):
                raise
        except errors.NotThere as gone:
            if "deleted" not in gone.said.lower():
                raise
            attempts += 1
            if attempts >= ATTEMPTS_AT_A_DELETED_DOCUMENT:
                raise errors.GaveUp(f"{reading.spec.name}: a deleted record stays in the way of its list") from gone
            if attempts >= ATTEMPTS_BEFORE_NARROWING:
                narrow = max(1, asked // 2)
            time.sleep(min(LONGEST_REST, 0.05 * 2**attempts))


def _given(asked: int, parse: Callable[[Reply, int], Parsed]) -> Callable[[Reply], Parsed]:
    return lambda reply: parse(reply, asked)


def list_answer(reply: Reply, asked: int, skip: int, times: tuple[str, ...] = (), key: str = "id") -> Answer:
    """Return a page of a list that was asked for from ``skip`` on."""
    envelope, rows = envelope_of(reply, times, key)
    after: Continuation | None = skip + max(1, len(rows)) if envelope.has_more else None
    return Answer(rows, reply.body, after, envelope.total_results, asked, reply.server_time, skip, DATA, times)


def get(path: str, label: str, params: Mapping[str, str | int] | None = None) -> Question:
    """Return a question; every path of Close ends in a slash."""
    return Question("GET", path, label, params=params or {})
