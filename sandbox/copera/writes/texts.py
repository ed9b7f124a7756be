"""Queued writes of markdown: a row's description, and its rich-text cells."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sandbox.copera.schema import Row
    from sandbox.copera.workspace import CoperaWorld

_PREVIEW = 40
OPERATIONS = ("replace", "append", "prepend")


def write(world: CoperaWorld, row: Row, column: str, operation: str, content: str) -> None:
    """Change a text as it will be when all earlier writes show; the description has no column."""
    before = world.texts.get((row.id, column))
    if before is None:
        before = world.rich_text(row, column) if column else world.description(row)
    replace(world, row, column, {"append": before + content, "prepend": content + before}.get(operation, content))


def replace(world: CoperaWorld, row: Row, column: str, content: str) -> None:
    """Replace a text; it shows after the knob `markdown_lag`, the beginning of it in the row at once."""
    name = "rich_text_cells" if column else "row_descriptions"
    key = f"{row.id}/{column}" if column else row.id
    world.change("edit", {"object": name, "ids": [key], "changes": {"content": content}})
    if column:
        table, record = world.table_of(row), world.plain_record(row)
        world.editor.rows.set_cell(record, column, content[:_PREVIEW])
        world.editor.rows.put(table, row, record)
