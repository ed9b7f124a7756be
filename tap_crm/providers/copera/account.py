"""A Copera workspace's boards and tables, read once per run: what its streams are made from."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tap_crm import errors
from tap_crm.providers.common.records import Record, records_in
from tap_crm.providers.copera.answers import ask_list

if TYPE_CHECKING:
    from tap_crm.contract.stream import Reading

_log = logging.getLogger("tap-crm.copera")


@dataclass(frozen=True, slots=True)
class Account:
    """What a token sees.

    Attributes:
        boards: as the API gives them.
        tables: of all boards, with their columns.
        left_out: ids of the boards whose tables it does not see.
    """

    boards: list[Record]
    tables: list[Record]
    left_out: tuple[str, ...] = ()


def account(reading: Reading) -> Account:
    """Return the workspace's boards and tables; asked once per run."""
    return reading.once_per_run.get("copera-account", lambda: _ask_account(reading))


def _ask_account(reading: Reading) -> Account:
    boards = ask_list(reading, "/board/list-boards", "boards", _boards_in)
    tables: list[Record] = []
    left_out: list[str] = []
    for board in boards:
        try:
            tables += ask_tables(reading, board["_id"])
        except (errors.Forbidden, errors.NotThere) as error:
            _log.warning("board %s (%s) is left out: %s", board["_id"], board.get("name"), error)
            left_out.append(board["_id"])
    return Account(boards, tables, tuple(left_out))


def ask_tables(reading: Reading, board: str) -> list[Record]:
    """Return a board's tables as they are now, with their columns."""
    found = ask_list(reading, f"/board/{board}/tables", "tables of a board", _tables_in)
    return [{**table, "board": table.get("board") or board} for table in found]


def _boards_in(body: object) -> list[Record]:
    return records_in(body, "_id")


def _tables_in(body: object) -> list[Record]:
    """Return tables that all have their columns: without them, every cell would look like one of no column."""
    found = records_in(body, "_id")
    for table in found:
        records_in(table.get("columns"), "columnId")
    return found
