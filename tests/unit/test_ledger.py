"""The ledger: what reading cost, counted from every thread."""

from __future__ import annotations

import threading

import pytest

from tap_crm.ledger import Ledger


def test_amounts_add_up() -> None:
    """Several counts at once."""
    ledger = Ledger()
    ledger.add(requests=1, waited=0.5)
    ledger.add(requests=2, waited=0.25)
    assert (ledger.requests, ledger.waited) == (3, 0.75)


def test_a_count_that_does_not_exist_is_a_mistake() -> None:
    """A typing error must not vanish."""
    with pytest.raises(AttributeError):
        Ledger().add(request=1)


def test_a_remark_is_kept_once() -> None:
    """The same thing may happen in every window."""
    ledger = Ledger()
    for text in ("the filter was ignored", "read again", "the filter was ignored"):
        ledger.note(text)
    assert ledger.notes == ["the filter was ignored", "read again"]


def test_two_ledgers_share_nothing() -> None:
    """Each stream has its own notes."""
    Ledger().note("mine")
    assert Ledger().notes == []


def test_no_count_is_lost_between_threads() -> None:
    """Windows are walked by several threads."""
    ledger = Ledger()

    def work() -> None:
        for _ in range(2000):
            ledger.add(pages=1)
            ledger.note("seen")

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ledger.pages == 8000
    assert ledger.notes == ["seen"]
