"""Which tests measure coverage, and how it is switched on and off: it doubles what a run takes.

All tests run; those of `MEASURED` are measured. They were chosen so that together they reach what must be reached, in
little time: what other tests reach beside that is not counted, so the figure is a lower bound.
"""

from __future__ import annotations

import os
import sys
from collections import Counter
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any

from tests.warm_tap import MEASURING

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Folders, files and tests whose coverage is measured, and that of the processes that they start: what calls the code
#: without a run, what alone reaches a command or the target, and of the tests of the CRMs those that reach most.
MEASURED = (
    *("tests/unit/", "tests/audit/", "tests/child_tables/", "tests/endpoints/", "tests/hints/", "tests/inbox/"),
    *("tests/load/", "tests/report/", "tests/states/", "tests/target_crm/", "tests/verdict/", "tests/watch/"),
    *("tests/reading/test_one_engine.py", "tests/reading/test_keyset_changes.py"),
    *("tests/reading/test_keyset_ties.py", "tests/reading/test_offset_lists.py"),
    *("tests/reading/test_endless_lists.py", "tests/reading/test_fingerprint.py"),
    *("tests/contract/", "tests/sdk/"),
    *("tests/copper/test_awkward_answers.py", "tests/copper/test_full_run.py"),
    "tests/copper/test_per_record_streams.py",
    *("tests/close/test_activities.py", "tests/close/test_deletions.py", "tests/close/test_endless_lists.py"),
    *("tests/close/test_oauth.py", "tests/close/test_small_lists.py"),
    *("tests/close/test_custom_fields.py", "tests/close/test_details.py", "tests/close/test_log_refused.py"),
    "tests/close/test_page_sizes.py::test_a_deleted_record_that_stays_in_the_way_fails_its_stream_only",
    "tests/close/test_reconcile.py::test_a_budget_spreads_a_reconcile_over_runs",
    "tests/close/test_reconcile.py::test_a_reconcile_while_everything_changes_marks_nothing_that_lives",
    "tests/close/test_reconcile.py::test_deletions_that_are_told_while_a_reconcile_is_spread_are_no_reason_to_stop",
    *("tests/copera/test_changed_columns.py", "tests/copera/test_deletions.py", "tests/copera/test_endless_lists.py"),
    *("tests/copera/test_full_run.py", "tests/copera/test_lists.py", "tests/copera/test_per_row_streams.py"),
)
#: Of these, what takes long and reaches hardly anything that the others do not.
UNMEASURED = (
    *("tests/contract/test_changed_custom_fields.py", "tests/contract/test_interrupted.py"),
    *("tests/contract/test_incremental.py", "tests/contract/test_vanished.py"),
    *("tests/unit/test_careful_path.py", "tests/unit/test_custom_kinds.py", "tests/unit/test_custom_names.py"),
    *("tests/unit/test_custom_paths.py", "tests/unit/test_fast_path.py", "tests/unit/test_moments.py"),
    *("tests/unit/test_pacer.py", "tests/unit/test_schema_files.py", "tests/unit/test_start.py"),
    *("tests/child_tables/test_runs.py", "tests/endpoints/test_faults.py", "tests/hints/test_killed.py"),
    *("tests/inbox/test_killed.py", "tests/inbox/test_spool_properties.py", "tests/states/test_mapped_away.py"),
    "tests/copper/test_awkward_answers.py",
    *("tests/target_crm/test_demo.py", "tests/target_crm/test_process.py", "tests/target_crm/test_volume.py"),
    "tests/verdict/test_emptied_lists.py",
    "tests/copper/test_full_run.py::test_a_large_account_arrives_whole_at_one_request_a_page",
    "tests/copera/test_full_run.py::test_six_thousand_rows_in_twelve_tables_arrive_whole",
)
#: Cases of a test that are measured: further ones ask more of the same code.
CASES = 12
_SEEN: Counter[str] = Counter()


@contextmanager
def only_some(nodeid: str) -> Iterator[None]:
    """Measure a test if it is one of those that are measured; else neither this process nor those that it starts."""
    test = nodeid.partition("[")[0]
    _SEEN[test] += 1
    if is_among_measured(test) and _SEEN[test] <= CASES:
        yield
        return
    variables = {name: os.environ.pop(name) for name in MEASURING if name in os.environ}
    try:
        with switched(on=False):
            yield
    finally:
        os.environ.update(variables)


def is_among_measured(test: str) -> bool:
    """Tell whether a test is one of those that are measured."""
    return test.startswith(MEASURED) and not test.startswith(UNMEASURED)


@cache
def _coverage() -> Any:  # noqa: ANN401 - its type is that of a package that need not be there
    """Return what measures this process, if it is measured at all: it began before the first test.

    In a worker of pytest-xdist, pytest-cov begins twice, and the first measurement goes on whenever the second one
    stops: every test would be traced, whether it is measured or not. So all but the last one are ended here.
    """
    coverage = sys.modules.get("coverage")
    last = coverage.Coverage.current() if coverage else None
    if coverage is None or last is None:
        return None
    _switch(last, on=False)
    while (other := coverage.Coverage.current()) is not None:
        other.stop()
    _switch(last, on=True)
    return last


@contextmanager
def switched(*, on: bool) -> Iterator[None]:
    """Measure this process or not for a while; does nothing where the tests run without coverage."""
    coverage = _coverage()
    was_on = sys.gettrace() is not None
    if coverage is None or was_on == on:
        yield
        return
    _switch(coverage, on=on)
    try:
        yield
    finally:
        _switch(coverage, on=was_on)


def _switch(coverage: Any, *, on: bool) -> None:  # noqa: ANN401
    if not on:
        coverage.stop()
        return
    leave, variables = os._exit, {name: os.environ.get(name) for name in MEASURING}
    coverage.start()
    # Each start makes what ends a process, and what measures further ones, known once more: the first time is enough.
    os._exit = leave
    for name, value in variables.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
