"""What the routes of the Copera server answer from."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING

from sandbox.copera.behaviour import RowsCut
from sandbox.copera.writes.rows import RowWriter
from sandbox.exchange import Refusal

if TYPE_CHECKING:
    from sandbox.copera.parameters import CheckedRequest
    from sandbox.copera.workspace import CoperaAccount


class Service:
    """A workspace and its behaviour."""

    def __init__(self, account: CoperaAccount) -> None:
        self.account = account
        self.behaviour = account.behaviour
        self.rng = Random(account.shape.seed + 3)
        self.row_writer = RowWriter(account)
        self._cut = (RowsCut(), 0)
        self._churned = 0

    def now(self) -> float:
        """Read the server's clock."""
        return self.account.clock()

    def enter_board(self, asked: CheckedRequest) -> None:
        """Refuse who may not enter a board; 404 if there is none."""
        number, allowed = asked.path["boardId"], self.behaviour.key_boards
        hidden = asked.token.kind == "key" and allowed is not None and number not in allowed
        if number in self.account.lists["boards"] and (hidden or number in self.behaviour.forbidden_boards):
            raise Refusal(403, "You are not allowed to access boards")
        if number not in self.account.lists["boards"]:
            raise Refusal(404, "Board not found")

    def churn_offsets(self, name: str, offset: int) -> None:
        """Insert and delete right before a page from the second on, as the knob says."""
        knob = self.behaviour.offset_churn
        if not offset or (knob.times and self._churned >= knob.times):
            return
        self._churned += 1
        if knob.insert:
            self.account.create(name, count=knob.insert)
        if knob.delete:
            self.account.delete(name, count=knob.delete)

    def due_cut(self, table_id: str) -> RowsCut | None:
        """Say whether this answer of rows is cut."""
        knob = self.behaviour.rows_cut
        if self._cut[0] is not knob:
            self._cut = (knob, 0)
        if knob.how == "off" or (knob.table and knob.table != table_id) or (knob.times and self._cut[1] >= knob.times):
            return None
        self._cut = (knob, self._cut[1] + 1)
        return knob
