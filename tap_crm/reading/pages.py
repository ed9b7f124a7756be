"""Reads a listing that has pages but no time to cut it by: all of it, from the last page to the first."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tap_crm.reading.listing import Slice
from tap_crm.reading.no_news import are_alike, same_page_again
from tap_crm.reading.walk import Walk, Window

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tap_crm.reading.listing import Listing, Row
    from tap_crm.reading.page import Emit
    from tap_crm.transport.ledger import Ledger


def read_pages(listing: Listing, emit: Emit, ledger: Ledger) -> None:
    """Emit every record of a listing; the answer to the first question is enough where all fits one page.

    Raises:
        Incomplete: the CRM heeds no page number, and there may be more than it gives.
    """
    part = Slice(listing, None)
    opening = part.ask(None, None, 1)
    ledger.source_total = opening.total
    if len(opening.rows) < listing.page_size and opening.total == len(opening.rows):
        opening = replace(opening, total=len(opening.rows))
        Walk(part, Window(None, None, last=(1, opening)), emit, ledger).run()
        return
    if len(opening.rows) >= listing.page_size and opening.total != len(opening.rows):
        _check_second(part, opening.rows, ledger)
    guess = 1 if opening.total is None else max(1, -(-opening.total // listing.page_size))
    Walk(part, Window(None, None, guess=guess, first=opening), emit, ledger).run()


def _check_second(part: Slice, first: Sequence[Row], ledger: Ledger) -> None:
    """Raise if the second page is the first one, and again when it is asked for once more."""
    for _ in range(2):
        ledger.add(pages=1)
        if not are_alike(part.ask(None, None, 2).rows, first):
            return
    raise same_page_again(part.listing.label)
