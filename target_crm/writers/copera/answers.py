"""What Copera's answers mean to a writer (developer.copera.ai: rows, comments)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tap_crm.providers.common.records import decoded, record_in
from tap_crm.shaping.moments import to_exact_epoch
from tap_crm.transport.question import Doubtful
from target_crm.contract import Snapshot

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tap_crm.transport.question import Reply
    from target_crm.contract import Columns

Record = dict[str, Any]


def row_of(reply: Reply) -> Record:
    """Return a row.

    Raises:
        Doubtful: the answer is none.
    """
    row = record_in(decoded(reply), "_id")
    check_row(row)
    return row


def check_row(row: Any) -> None:  # noqa: ANN401 - any JSON
    """Raise ``Doubtful`` unless this is a row."""
    if not isinstance(row, dict) or not isinstance(row.get("_id"), str) or not isinstance(row.get("columns"), list):
        raise Doubtful("a row has no _id, or no columns")


def row_or_nothing(reply: Reply) -> Record | None:
    """Return the row of an answer to an update; None where it is empty, so that it has to be read."""
    return row_of(reply) if reply.body.strip() else None


def comment_of(reply: Reply) -> Record:
    """Return a comment."""
    return record_in(decoded(reply), "_id")


def is_queued(reply: Reply) -> None:
    """Take any answer: what is queued is not written yet, so the text is read afterwards."""
    if reply.body.strip():
        decoded(reply)


def snapshot(
    row: Mapping[str, Any], columns: Columns, *, is_indexed: bool = False, texts: Mapping[str, str] | None = None
) -> Snapshot:
    """Return a row as the target compares it.

    Args:
        row: as the API has it.
        columns: the table's.
        is_indexed: it was read some time ago, together with all others.
        texts: by field the whole texts, of which the row has previews only.
    """
    values = {name: value for name, value in row.items() if name != "columns"}
    for cell in row["columns"]:
        field = columns.by_id.get(str(cell.get("columnId"))) if isinstance(cell, dict) else None
        if field is not None:
            values[field.name] = cell.get("value")
    for name, text in (texts or {}).items():
        values[name] = {"preview": values.get(name), "text": text}
    return Snapshot(row["_id"], values, when(row, "updatedAt"), when(row, "createdAt"), is_indexed=is_indexed)


def when(record: Mapping[str, Any], name: str) -> float | None:
    """Return a time of a record in epoch seconds, with its milliseconds; None where it has none."""
    return to_exact_epoch(record.get(name) or None)
