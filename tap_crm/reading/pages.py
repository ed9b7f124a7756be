"""Reads a listing that has pages but no time to cut it by: all of it, from the last page to the first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tap_crm.reading.pages_backwards import BackwardReader

if TYPE_CHECKING:
    from tap_crm.ledger import Ledger
    from tap_crm.messages import Emit
    from tap_crm.reading.pages_backwards import PagedListing


def read_pages(listing: PagedListing, emit: Emit, ledger: Ledger) -> None:
    """Emit every record of a listing; the answer to the first question is enough where all fits one page."""
    BackwardReader(listing, emit, ledger).read()
