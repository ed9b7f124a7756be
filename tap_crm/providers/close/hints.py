"""What Close's webhook events hint at, and how its records are read by their ids.

A webhook delivers the entries of the event log, in any order, some of them several times (developer.close.com:
webhooks). What they say of a record is not taken for true: it may be older than what is there. Only what a deleted
record last was comes from them, since nothing else has it.
"""

from __future__ import annotations

from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import msgspec

from tap_crm.contract.hints import Hint, HintRules
from tap_crm.contract.stream import ById
from tap_crm.messages import Page
from tap_crm.providers.close.answers import get, rows_of
from tap_crm.providers.close.deletions import DELETED, ToldEvent, has_the_record, last_content, merge_of
from tap_crm.providers.close.events import plain
from tap_crm.providers.common.not_found import says_not_found
from tap_crm.providers.common.records import decoded, record_in
from tap_crm.shaping.moments import to_epoch
from tap_crm.transport.question import Doubtful

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from tap_crm.contract.hints import Key
    from tap_crm.contract.stream import Reading, StreamSpec
    from tap_crm.transport.question import Reply

#: Seconds within which an event should be there: Close consolidates updates and deletions first.
DELAY = 300
_LEAD = "lead"
_TASK = "task"
_TIMES = ("date_updated", "date_created")
_CUSTOM = "custom."
#: Lists that are read whole by each run, by the types of events that tell of a change in them.
_LISTS = {
    "membership": "memberships",
    "group": "groups",
    "saved_search": "smart_views",
    "custom_activity_type": "custom_activity_types",
    "custom_object_type": "custom_object_types",
    "custom_object": "custom_objects",
    "phone_number": "phone_numbers",
    "email_template": "email_templates",
    "sms_template": "sms_templates",
    "sequence": "sequences",
    "sequence_subscription": "sequence_subscriptions",
    "comment": "comments",
    "comment_thread": "comment_threads",
    "unsubscribed_email": "unsubscribed_emails",
}
_DEFINITIONS = "customfields"


@runtime_checkable
class Told(Protocol):
    """A source of whose records the event log tells."""

    @property
    def object_type(self) -> str:
        """What the log calls them."""


class _Delivery(msgspec.Struct, frozen=True):
    event: ToldEvent


_DECODER = msgspec.json.Decoder(_Delivery, float_hook=Decimal)


def _event(body: bytes) -> ToldEvent | None:
    """Return the event of a delivery; None if there is none."""
    try:
        return _DECODER.decode(body).event
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


def rules(streams: Iterable[StreamSpec]) -> HintRules:
    """Return what is to be known of events, given the streams."""
    told = {plain(one.source.object_type): one.name for one in streams if isinstance(one.source, Told) and one.by_id}
    types = {plain(kind): name for kind, name in _LISTS.items()} | told
    return HintRules(partial(_hints, types), frozenset({*types.values(), "custom_fields"}), DELAY)


def _hints(types: Mapping[str, str], body: bytes) -> list[Hint] | None:
    event = _event(body)
    if event is None or not event.object_type or not event.object_id:
        return None
    kind = plain(event.object_type)
    found: list[Hint] = []
    stream = _stream_of(types, kind)
    if stream is not None:
        found.append(Hint(stream, event.object_id, event.action == DELETED))
    if kind == _LEAD:  # a merge ends one lead, and changes the other
        found += [Hint(types[_LEAD], lead) for lead in merge_of(event) if lead is not None and lead != event.object_id]
    return found


def _stream_of(types: Mapping[str, str], kind: str) -> str | None:
    if kind.startswith(_DEFINITIONS):
        return "custom_fields"
    if kind.startswith(_TASK):  # there are many kinds of tasks, in one list
        kind = _TASK
    return types.get(kind)


def by_id(path: str, fields: Sequence[str] = (), *, page_size: int, nested: frozenset[str] = frozenset()) -> ById:
    """Return how records are read by their ids: at their own addresses, since a search shows them late.

    Args:
        path: of the list.
        fields: what the stream has of each record; none for all.
        page_size: records of a page of the list, or of the search.
        nested: fields of the record that are streams of their own.
    """

    def one(reading: Reading, key: Key) -> Page:
        def parse(reply: Reply) -> Page:
            if fields:
                return Page(records=[_cut_down(record_in(decoded(reply), "id"), fields)])
            if not reply.body.lstrip().startswith(b"{"):
                raise Doubtful("the answer is not the documented object")
            body = b"[" + reply.body + b"]"
            return Page(body, rows=rows_of(body, _TIMES), times=_TIMES)

        found: Page = reading.ask(get(f"{path}{key}/", f"{reading.spec.name}, one by id"), parse)
        return found

    def content(body: bytes, key: Key) -> dict[str, Any] | None:
        event = _event(body)
        at = None if event is None else to_epoch(event.date_updated)
        if event is None or at is None or event.object_id != key or not has_the_record(event):
            return None
        source, destination = merge_of(event)
        into = destination if source == key and plain(event.object_type or "") == _LEAD else None
        return last_content(str(key), at, event, nested, into)

    return ById(one, says_not_found, page_size=page_size, last_content=content)


def _cut_down(record: dict[str, Any], fields: Sequence[str]) -> dict[str, Any]:
    """Return a record as the search gives it."""
    return {name: value for name, value in record.items() if name in fields or name.startswith(_CUSTOM)}
