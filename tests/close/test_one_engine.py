"""What Close may hide behind its pages, counts and caps arrives, or ends the run by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.close.truth import differences
from tests.singer import merged

if TYPE_CHECKING:
    from tests.close.conftest import Start

FEW: dict[str, Any] = {
    "contacts": 2,
    "opportunities": 2,
    "tasks": 2,
    "activities": 10,
    "events": 3,
    "custom_fields": 1,
    "leads": 130,
    "tie_block": 120,
}
#: A cap in the middle of a page.
CAP: dict[str, Any] = {"search_cap": 90, "search_counts": "missing", "limit_caps": {"data/search": 20}}


def test_a_cap_without_counts_is_complete_or_an_error(start_some: Start) -> None:
    """120 leads of one second behind a cap of 90: split by creation, none is missing."""
    app, tap = start_some(("leads",), FEW, **CAP)
    run = tap.sync()
    assert differences(app.account, "leads", merged("leads", run)) == {}


def test_a_cap_without_counts_that_nothing_splits_is_an_error(start_some: Start) -> None:
    """The same, created in one second, too."""
    _, tap = start_some(("leads",), {**FEW, "tie_block_created": True}, **CAP)
    run = tap.sync(expect=1)
    assert "more records share one second" in run.log
    assert not run.audit()["leads"]["complete"]


@pytest.mark.parametrize("counts", ["exact", "missing"])
def test_hits_that_are_counted_but_never_given(start_some: Start, counts: str) -> None:
    """The first 40 leads of a search, which are two pages: the others arrive."""
    shape = {**FEW, "leads": 140, "tie_block": 0}
    app, tap = start_some(("leads",), shape, search_counts=counts, limit_caps={"data/search": 20})
    leads = sorted(app.account.records("leads"), key=lambda lead: (lead["date_updated"], lead["id"]))
    app.behaviour.never_given = [lead["id"] for lead in leads[:40]]
    run = tap.sync(max_unexplained_percent=100)
    assert merged("leads", run).keys() == {(lead["id"],) for lead in leads[40:]}
    if counts == "exact":
        assert run.audit()["leads"]["unexplained"] == 40
