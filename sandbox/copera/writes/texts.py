"""Queued writes of markdown: a row's description, and its rich-text cells."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sandbox.copera.schema import Row
    from sandbox.copera.workspace import CoperaAccount

_PREVIEW = 40
OPERATIONS = ("replace", "append", "prepend")


def write(account: CoperaAccount, row: Row, column: str, operation: str, content: str) -> None:
    """Change a text as it will be when all earlier writes show; the description has no column."""
    before = account.texts.get((row.id, column))
    if before is None:
        before = account.rich_text(row, column) if column else account.description(row)
    replace(account, row, column, {"append": before + content, "prepend": content + before}.get(operation, content))


def replace(account: CoperaAccount, row: Row, column: str, content: str) -> None:
    """Replace a text; it shows after the knob `markdown_lag`, the beginning of it in the row at once."""
    name = "rich_text_cells" if column else "row_descriptions"
    key = f"{row.id}/{column}" if column else row.id
    account.change("edit", {"object": name, "ids": [key], "changes": {"content": content}})
    if column:
        table, record = account.table_of(row), account.plain_record(row)
        account.editor.rows.set_cell(record, column, content[:_PREVIEW])
        account.editor.rows.put(table, row, record)
