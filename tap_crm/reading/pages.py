"""Reads a listing that has pages but no time to cut it by: all of it, from the last page to the first."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tap_crm.reading.listing import Slice
from tap_crm.reading.walk import Walk, Window

if TYPE_CHECKING:
    from tap_crm.reading.listing import Listing
    from tap_crm.reading.page import Emit
    from tap_crm.transport.ledger import Ledger


def read_pages(listing: Listing, emit: Emit, ledger: Ledger) -> None:
    """Emit every record of a listing; the answer to the first question is enough where all fits one page."""
    part = Slice(listing, None)
    opening = part.ask(None, None, 1)
    ledger.source_total = opening.total
    if len(opening.rows) < listing.page_size and opening.total == len(opening.rows):
        opening = replace(opening, total=len(opening.rows))
        Walk(part, Window(None, None, last=(1, opening)), emit, ledger).run()
        return
    guess = 1 if opening.total is None else max(1, -(-opening.total // listing.page_size))
    Walk(part, Window(None, None, guess=guess, first=opening), emit, ledger).run()
