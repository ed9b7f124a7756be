"""Edits of markdown texts; the knob `markdown_lag` says when they show."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.copera.moments import text_of

if TYPE_CHECKING:
    from sandbox.copera.row_changes import RowEditor
    from sandbox.exchange import Record

EDITED = ("document_contents", "row_descriptions", "rich_text_cells")


def edit(editor: RowEditor, name: str, order: Record) -> list[str]:
    """Edit texts; ids are documents, rows, or `row/column`; `changes` is `{"content": text}`."""
    records = editor.records
    living = [str(one) for one in records.ids(name)]
    ids = order.get("ids")
    if ids is None:
        ids = records.rng.sample(living, min(order.get("count", 1), len(living)))
    for one in ids:
        editor.edits += 1
        text = (order.get("changes") or {}).get("content", f"# Edited {editor.edits}\n")
        if name == "document_contents":
            _remember(editor, (one,), records.content(one))
            records.contents[one] = text
            records.lists["documents"][one]["updatedAt"] = text_of(records.now())
            continue
        row_id, _, column = one.partition("/")
        row = records.rows[row_id]
        _remember(editor, (row_id, column), records.rich_text(row, column) if column else records.description(row))
        records.texts[row_id, column] = text
        if records.behaviour.markdown_moves_row:
            editor.touch(row)
    return list(ids)


def _remember(editor: RowEditor, key: tuple[str, ...], before: str) -> None:
    lag = editor.records.behaviour.markdown_lag
    if lag > 0:
        editor.records.texts_before_edit[key] = (editor.records.clock() + lag, before)
