"""What the routes of the Close server answer from."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import TYPE_CHECKING, TypeAlias

from sandbox.close.oauth import OAuth
from sandbox.close.page_faults import PageFaults
from sandbox.close.samples.random_ids import RandomIds
from sandbox.close.search import Searcher

if TYPE_CHECKING:
    from sandbox.close.organization import CloseAccount
    from sandbox.exchange import Answer, Request

Handler: TypeAlias = Callable[["Service", "Request", tuple[str, ...]], "Answer"]
"""Answers a request, given the groups of its route's pattern."""


class Service:
    """An organization, its behaviour, and what searches it."""

    def __init__(self, account: CloseAccount) -> None:
        self.account = account
        self.behaviour = account.behaviour
        self.rng = Random(account.shape.seed + 3)
        self.oauth = OAuth(account)
        self.searcher = Searcher(account, account.behaviour, self.rng)
        self.page_faults = PageFaults(account.behaviour, self.rng)
        self.endless_cursors = 0
        """How many cursors were given of an event log that has no end."""
        self.request_ids = RandomIds(Random(account.shape.seed + 5))
        self.request_id = ""
        """Of the request that is being answered."""
