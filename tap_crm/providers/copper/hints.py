"""What Copper's notifications hint at, and how its records are read by their ids.

A notification names up to 30 ids of one type and what happened to them, and nothing else that could be believed
(developer.copper.com: webhooks; help centre: at most once, up to 15 minutes late).
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec

from tap_crm.contract.hints import Hint, HintRules
from tap_crm.contract.stream import ById, Elsewhere
from tap_crm.messages import Page
from tap_crm.providers.common.not_found import says_not_found
from tap_crm.providers.copper.search import PAGE_SIZE, deleted_stubs, listing_of, rows_of
from tap_crm.transport.question import Doubtful, Question

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tap_crm.contract.hints import Key
    from tap_crm.contract.stream import Reading
    from tap_crm.transport.question import Reply

#: The streams by the types of records that notifications name.
_STREAMS = {
    "person": "people",
    "company": "companies",
    "lead": "leads",
    "opportunity": "opportunities",
    "project": "projects",
    "task": "tasks",
    "activity_log": "activities",
}
#: Seconds within which a notification comes, if it comes (help centre).
DELAY = 900
_DELETED = "delete"
#: The largest id that Copper's clients take for one.
_MOST = 2**63 - 1
_LONGEST = len(str(_MOST))
_TIMES = ("date_modified", "date_created", "activity_date")
_LEADS = "leads"
#: What a lead has after its conversion, and no other (developer.copper.com: leads/convert-a-lead).
_CONVERSION = ("converted_at", "converted_contact_id", "converted_opportunity_id")


class _Notification(msgspec.Struct, frozen=True):
    ids: list[Any]
    type: str
    event: str


_DECODER = msgspec.json.Decoder(_Notification)


def hints(body: bytes) -> list[Hint] | None:
    """Return what a notification hints at; None if it is none."""
    try:
        found = _DECODER.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    ids = [key for key in map(_id, found.ids) if key is not None]
    if not ids:
        return None
    stream = _STREAMS.get(found.type)
    return [] if stream is None else [Hint(stream, key, found.event == _DELETED) for key in ids]


def _id(value: object) -> int | None:
    """Return an id, also one that comes as text."""
    if isinstance(value, str) and len(value) <= _LONGEST and value.isascii() and value.isdigit():
        value = int(value)
    is_one = isinstance(value, int) and not isinstance(value, bool) and 0 < value <= _MOST
    return value if is_one and isinstance(value, int) else None


HINTS = HintRules(hints, frozenset(_STREAMS.values()), DELAY)


def by_id(entity: str) -> ById:
    """Return how records of an object are read: up to 200 in one search, or one by one.

    Of activities, a search by ids is not documented.
    """

    def one(reading: Reading, key: Key) -> Page:
        label = f"{reading.spec.name}, one by id"

        def parse(reply: Reply) -> Page:
            if not reply.body.lstrip().startswith(b"{"):
                raise Doubtful("the answer is not the documented object")
            body = b"[" + reply.body + b"]"
            page = Page(body, rows=rows_of(body, _TIMES), times=_TIMES)
            gone = deleted_stubs(page, reading.transport.clock.now())
            return Page(records=gone) if gone else page

        found: Page = reading.ask(Question("GET", f"/{entity}/{key}", label), parse)
        return found

    is_searched = entity != "activities"
    return ById(
        one,
        says_not_found,
        partial(_searched, entity) if is_searched else None,
        at_once=PAGE_SIZE if is_searched else 1,
        page_size=PAGE_SIZE,
        elsewhere=_converted if entity == _LEADS else None,
    )


def _searched(entity: str, reading: Reading, keys: Sequence[Key]) -> Page | None:
    """Return what a search shows of some records; None if it does not heed ids."""
    answer = listing_of(reading, entity).ask_for([int(key) for key in keys])
    wanted = set(keys)
    return answer.page() if all(row.key in wanted for row in answer.rows) else None


def _converted(reading: Reading, keys: Sequence[Key]) -> Elsewhere | None:
    """Tell which of some leads were converted: their addresses may deny them, and they are not deleted.

    What a search shows besides was deleted or has just been converted, and its index is late.
    """
    page = _searched(_LEADS, reading, keys)
    if page is None:
        return None
    leads = page.decoded()
    converted = [at for at, lead in enumerate(leads) if any(lead.get(name) is not None for name in _CONVERSION)]
    late = {lead["id"] for lead in leads} - {leads[at]["id"] for at in converted}
    return Elsewhere(replace(page, keep=converted), frozenset(late))
