"""What Close's answers mean (developer.close.com: the samples of each resource)."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec

from tap_crm.providers.common.records import is_key
from tap_crm.shaping.moments import to_exact_epoch
from tap_crm.transport.question import Doubtful
from target_crm.contract import Snapshot
from target_crm.writers.close.columns import PREFIX

if TYPE_CHECKING:
    from tap_crm.transport.question import Reply
    from target_crm.contract import Columns, ObjectSpec

_DECODER = msgspec.json.Decoder(float_hook=Decimal)
_ENCODER = msgspec.json.Encoder(decimal_format="number")
_NO_SHAPE = "the answer is not the documented one"


def snapshot(record: dict[str, Any], spec: ObjectSpec, columns: Columns, *, is_indexed: bool = False) -> Snapshot:
    """Return a record of Close's.

    Its time of creation is left out where whoever makes a record can say it: it tells nothing of when it was made.

    Args:
        record: as Close has it.
        spec: the object.
        columns: the object's fields in this account.
        is_indexed: it is what a search, or a list that was read before, had of it.
    """
    values = dict(record)
    for name, value in record.items():
        custom = columns.by_id.get(name.removeprefix(PREFIX)) if name.startswith(PREFIX) else None
        if custom is not None:
            values[custom.name] = value
    created = spec.fields.get("date_created")
    is_said = created is not None and created.only_new
    return Snapshot(
        record[spec.key],
        values,
        changed=None if spec.changed is None else to_exact_epoch(record.get(spec.changed)),
        created=None if is_said else to_exact_epoch(record.get("date_created")),
        is_indexed=is_indexed,
    )


def one_record(reply: Reply, key: str = "id") -> dict[str, Any]:
    """Return the record of an answer that is one.

    Raises:
        Doubtful: it is none.
    """
    body = _DECODER.decode(reply.body)
    if not isinstance(body, dict) or not body.get(key) or not isinstance(body[key], str):
        raise Doubtful(_NO_SHAPE)
    return body


def envelope(reply: Reply, key: str = "id") -> dict[str, Any]:
    """Return the answer of a list, a search or the event log.

    Raises:
        Doubtful: it has no list of records with a key.
    """
    body = _DECODER.decode(reply.body)
    if not isinstance(body, dict):
        raise Doubtful(_NO_SHAPE)
    found = body.get("data")
    if not isinstance(found, list) or not all(isinstance(one, dict) and is_key(one.get(key)) for one in found):
        raise Doubtful(_NO_SHAPE)
    return body


def text_of(record: dict[str, Any]) -> bytes:
    """Return a record as JSON."""
    return _ENCODER.encode(record)


def record_of(text: bytes) -> dict[str, Any]:
    """Return a record that was JSON."""
    found: dict[str, Any] = _DECODER.decode(text)
    return found
