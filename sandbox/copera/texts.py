"""Edits of markdown texts, which show late if the knob says so."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from sandbox.copera.moments import text_of

if TYPE_CHECKING:
    from sandbox.copera.changes import Editor
    from sandbox.copera.schema import BoardTable, Row
    from sandbox.exchange import Record

EDITED = ("document_contents", "row_descriptions", "rich_text_cells")


def edit(editor: Editor, name: str, order: Record) -> list[str]:
    """Edit texts; ids are documents, rows, or `row/column`; `changes` is `{"content": text}`."""
    world = editor.world
    living = [str(one) for one in world.ids(name)]
    ids = order.get("ids")
    if ids is None:
        ids = world.rng.sample(living, min(order.get("count", 1), len(living)))
    for one in ids:
        editor.edits += 1
        text = (order.get("changes") or {}).get("content", f"# Edited {editor.edits}\n")
        if name == "document_contents":
            _remember(editor, (one,), world.content(one))
            world.contents[one] = text
            world.lists["documents"][one]["updatedAt"] = text_of(world.now())
            continue
        row_id, _, column = one.partition("/")
        row = world.rows[row_id]
        _remember(editor, (row_id, column), world.rich_text(row, column) if column else world.description(row))
        world.texts[row_id, column] = text
        if world.behaviour.markdown_moves_row:
            touch(editor, world.table_of(row), row)
    return list(ids)


def touch(editor: Editor, table: BoardTable, row: Row) -> None:
    """Move a row's `updatedAt`, nothing else."""
    record = msgspec.json.decode(row.raw + row.tail)
    editor.stamp(table, record)
    editor.put(table, row, record)


def _remember(editor: Editor, key: tuple[str, ...], before: str) -> None:
    lag = editor.world.behaviour.markdown_lag
    if lag > 0:
        editor.world.late[key] = (editor.world.clock() + lag, before)
