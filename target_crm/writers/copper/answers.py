"""What Copper's answers mean (developer.copper.com: introduction/responses, bulk-create-people)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from tap_crm.shaping.moments import to_epoch
from tap_crm.transport.question import Doubtful
from target_crm.contract import NotTaken, Snapshot, Written
from target_crm.writers.copper.columns import custom_values

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tap_crm.transport.question import Reply
    from target_crm.contract import Answer, Columns

_DECODER = msgspec.json.Decoder()
_NO_SHAPE = "the answer is not the documented one"


def snapshot(
    record: dict[str, Any], columns: Columns, *, is_indexed: bool = False, is_searched: bool = False
) -> Snapshot:
    """Return a record of Copper's; see :class:`target_crm.contract.Snapshot`."""
    return Snapshot(
        record["id"],
        {**record, **custom_values(record, columns)},
        _time(record, "date_modified"),
        _time(record, "date_created"),
        is_indexed=is_indexed,
        is_searched=is_searched,
    )


def _time(record: dict[str, Any], name: str) -> float | None:
    found = to_epoch(record.get(name))
    return None if found is None else float(found)


def one_record(reply: Reply) -> dict[str, Any]:
    """Return the record of an answer that is one.

    Raises:
        Doubtful: it is none.
    """
    body = _DECODER.decode(reply.body)
    if not isinstance(body, dict) or not _is_id(body.get("id")):
        raise Doubtful(_NO_SHAPE)
    return body


def records(reply: Reply) -> list[dict[str, Any]]:
    """Return the records of a list.

    Raises:
        Doubtful: it is none.
    """
    body = _DECODER.decode(reply.body)
    if not isinstance(body, list) or not all(isinstance(one, dict) and _is_id(one.get("id")) for one in body):
        raise Doubtful(_NO_SHAPE)
    return body


def says_deleted(reply: Reply) -> bool:
    """Tell whether an answer says that the record is deleted; an empty one says nothing."""
    try:
        body = _DECODER.decode(reply.body)
    except msgspec.DecodeError:
        return False
    return isinstance(body, dict) and body.get("is_deleted") is True


def one_each(reply: Reply, count: int) -> list[dict[str, Any]]:
    """Return the answers to a bulk request, one for each record.

    Raises:
        Doubtful: there are more or fewer, so that it cannot be told which is whose.
    """
    body = _DECODER.decode(reply.body)
    if not isinstance(body, list) or len(body) != count or not all(isinstance(one, dict) for one in body):
        raise Doubtful(_NO_SHAPE)
    return body


def answer(one: dict[str, Any], columns: Columns) -> Answer:
    """Return what the answer for one record of a bulk request means.

    Raises:
        Doubtful: it says neither that the record was taken nor that it was not.
    """
    if one.get("success") is False or "message" in one:
        return NotTaken(_words(one.get("message")))
    if not _is_id(one.get("id")):
        raise Doubtful(_NO_SHAPE)
    return Written(one["id"], snapshot(one, columns))


def answers(found: Sequence[dict[str, Any]], columns: Columns) -> list[Answer]:
    """Return what each answer means."""
    return [answer(one, columns) for one in found]


def _words(message: Any) -> str:  # noqa: ANN401
    """Return the reasons of ``{"name": [{"error": "invalid"}]}`` in words."""
    if isinstance(message, str):
        return message
    if isinstance(message, dict):
        parts = [f"{name}: {_words(held)}" for name, held in message.items()]
        return "; ".join(parts).replace("error: ", "")
    if isinstance(message, list):
        return ", ".join(_words(one) for one in message)
    return str(message)


def _is_id(value: Any) -> bool:  # noqa: ANN401
    return isinstance(value, int) and not isinstance(value, bool)
