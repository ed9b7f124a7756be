"""Each way in which a list goes on, with each fault, cut off and gone on with: complete, or an error by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.endpoints.cases import CASES
from tests.endpoints.list_faults import OF_A_LIST, OF_AN_ANSWER, break_list
from tests.endpoints.test_streams import catalog_of
from tests.killing import stopped
from tests.target import Target

if TYPE_CHECKING:
    from tests.endpoints.cases import Case
    from tests.endpoints.conftest import Start

PAGED = ("copper page", "close skip", "close cursor", "copera skip", "copera cursor")
#: What a paged list may have is told by asking again; that it has no end, or no other page, is an error.
FAULTS = [
    *((name, fault) for name in PAGED for fault in (*OF_A_LIST, *OF_AN_ANSWER)),
    *((name, fault) for name in ("copper none", "copper parent", "close parent") for fault in OF_AN_ANSWER),
    # One answer that lacks rows, without a count, cannot be told from one that has them all; and that one list of many
    # is empty is believed at once (docs/reading-exactly.md).
    *(("copper none", fault) for fault in ("empty_page", "empty_list")),
]
#: Where a list gives no end or no other page, nothing else is to be had.
NOT_TO_BE_HAD = ("same_page", "endless", "empty_list")


def with_audit(case: Case) -> dict[str, Any]:
    """Return a catalog with the declared stream, and the audit."""
    catalog = catalog_of(case)
    keys = ["run_id", "stream"]
    audit = {
        "tap_stream_id": "sync_audit",
        "key_properties": keys,
        "schema": {"type": "object", "properties": {name: {} for name in (*keys, "unexplained")}},
        "metadata": [{"breadcrumb": [], "metadata": {"selected": True, "table-key-properties": keys}}],
    }
    return {"streams": [*catalog["streams"], audit]}


@pytest.mark.parametrize(("name", "fault"), FAULTS)
def test_a_list_with_a_fault_is_whole_or_named(start: Start, name: str, fault: str) -> None:
    """A run is killed in the middle, and the next one goes on, while the list has its fault all the time.

    What the CRM itself counts and does not show, a few records, is told in the audit.
    """
    case = CASES[name]
    app, tap = start(case.crm)
    how: dict[str, Any] = {"catalog": with_audit(case), "endpoints": [case.endpoint]}
    state = tap.sync(**how).state if fault == "empty_list" else None
    end = break_list(app, case, fault)
    first = stopped(app, tap, max(1, case.requests // 2), state=state, **how)
    run = tap.call(tap.command(state=first.state or state, **how))
    end()
    assert "Traceback" not in run.log
    if run.code:
        assert fault in NOT_TO_BE_HAD, run.said()
        assert f"not complete: {case.stream}" in run.log
        assert not [message for message in run.messages if message["type"] == "ACTIVATE_VERSION"]
        return
    assert fault != "empty_list"
    if case.stream not in first.schemas:
        first.messages.insert(0, run.schemas[case.stream])
    there = Target(first, run).living(case.stream).keys()
    assert there <= case.truth(app)
    assert len(case.truth(app)) - len(there) == run.audit()[case.stream]["unexplained"]
