"""What a journal holds of a record: what is known, meant, rejected, written and settled."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence


def key_text(values: Sequence[Any]) -> str:
    """Return a key as text: 17, 17.0 and "17" are one."""
    texts = [str(int(one)) if isinstance(one, float) and one == int(one) else str(one) for one in values]
    return texts[0] if len(texts) == 1 else json.dumps(texts, ensure_ascii=False)


@dataclass(frozen=True, slots=True)
class Known:
    """What the journal knows of a key: the CRM's id, and the CRM's own time of the last write that it did."""

    crm_id: str
    outcome: str
    changed: float | None


@dataclass(frozen=True, slots=True)
class Intent:
    """A write that is meant; ``changes`` as the report shows them. ``id`` is 0 until the journal has it."""

    stream: str
    key: str
    object: str
    action: str
    crm_id: str | None
    changes: str
    at: float = 0.0
    id: int = 0


@dataclass(frozen=True, slots=True)
class Kept:
    """A record that was rejected, with the properties of its schema."""

    stream: str
    key: str
    record: dict[str, Any]
    properties: dict[str, Any]
    reason: str = ""
    tries: int = 0


@dataclass(frozen=True, slots=True)
class Wrote:
    """What a record's end says of what was sent for it, for those who read the records back.

    Attributes:
        fields: the names of the fields that were sent, and not refused or ignored.
        meant: epoch seconds, when the first of the writes was about to be sent.
        before: the CRM's own time of the change before them; None for none, or where it is not known.
        changed: the CRM's own time of the change that they made; None where its answer did not tell.
    """

    fields: tuple[str, ...]
    meant: float
    before: float | None = None
    changed: float | None = None


@dataclass(slots=True)
class Settled:
    """The end of a record in this run.

    Attributes:
        line: of the report; None where there is no report.
        crm_id: None where the CRM has no record of it.
        changed: the CRM's own time of the change, where there was one.
        intents: what is thereby settled.
        leaves_open: whether these intents stay open: nobody knows yet whether they took effect.
        kept: the record, if it is to be tried again.
        is_known: nothing of it needs to be written but the line: the journal has it as it is.
        wrote: what was written, or may have been; None for nothing.
    """

    stream: str
    key: str
    object: str
    outcome: str
    line: str | None = None
    crm_id: str | None = None
    changed: float | None = None
    reason: str | None = None
    intents: list[int] = field(default_factory=list)
    leaves_open: bool = False
    kept: Kept | None = None
    is_known: bool = False
    wrote: Wrote | None = None
