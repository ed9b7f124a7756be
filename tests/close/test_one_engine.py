"""What Close may hide behind its pages, counts and caps arrives, or ends the run by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.close.truth import differences
from tests.singer import merged

if TYPE_CHECKING:
    from tests.close.conftest import Start

FEW: dict[str, Any] = {"contacts": 20, "opportunities": 10, "tasks": 10, "activities": 30, "events": 10}


def test_a_cap_without_counts_is_complete_or_an_error(start_some: Start) -> None:
    """1,200 leads of one second behind a cap of 900, in the middle of a page: split by creation, none is missing."""
    shape = {**FEW, "leads": 1_300, "tie_block": 1_200, "custom_fields": 1}
    app, tap = start_some(("leads",), shape, search_cap=900, search_counts="missing")
    run = tap.sync()
    assert differences(app.account, "leads", merged("leads", run)) == {}


def test_a_cap_without_counts_that_nothing_splits_is_an_error(start_some: Start) -> None:
    """The same, created in one second, too."""
    shape = {**FEW, "leads": 1_300, "tie_block": 1_200, "tie_block_created": True, "custom_fields": 1}
    _, tap = start_some(("leads",), shape, search_cap=900, search_counts="missing")
    run = tap.sync(expect=1)
    assert "more records share one second" in run.log
    assert not run.audit()["leads"]["complete"]


@pytest.mark.parametrize("counts", ["exact", "missing"])
def test_hits_that_are_counted_but_never_given(start_some: Start, counts: str) -> None:
    """The first 200 leads of a search: the others arrive."""
    app, tap = start_some(("leads",), {**FEW, "leads": 700, "custom_fields": 1}, search_counts=counts)
    leads = sorted(app.account.records("leads"), key=lambda lead: (lead["date_updated"], lead["id"]))
    app.behaviour.never_given = [lead["id"] for lead in leads[:200]]
    run = tap.sync(max_unexplained_percent=100)
    assert merged("leads", run).keys() == {(lead["id"],) for lead in leads[200:]}
    if counts == "exact":
        assert run.audit()["leads"]["unexplained"] == 200
