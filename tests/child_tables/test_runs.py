"""After any edits, and however runs end, the rows of a child table are the elements of the arrays."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from tests.child_tables.accounts import assert_children_are_arrays
from tests.killing import stopped
from tests.singer import later
from tests.target import Targets

if TYPE_CHECKING:
    from tests.child_tables.accounts import Case
    from tests.child_tables.conftest import Start
    from tests.singer import Run


def change(app: Any, case: Case, draw: Random, *, delete: bool = True) -> None:  # noqa: ANN401 - a sandbox
    """Change arrays at random: longer, shorter, empty; delete a record, and add one."""
    for record in draw.sample(case.ids(app), 6):
        lengths = [draw.choice((0, 0, 1, 1, 2, 3, 4, 9)) for _ in case.arrays]
        case.set_arrays(app, record, lengths, draw.randrange(1000))
    if delete:
        app.account.delete(case.table, ids=draw.sample(case.ids(app), 1))
        app.account.create(case.table, count=1)


@pytest.mark.parametrize("seed", range(2))
def test_rows_are_the_elements_after_any_edits_and_runs(start: Start, case: Case, seed: int) -> None:
    """Changed between runs and while one reads; killed anywhere and gone on with; reconciled now and then."""
    draw = Random(f"{case.crm} {seed}")
    app, tap = start(case, overlap_seconds=draw.choice((0, 300)))
    targets, state = Targets(), None
    for turn in range(6):
        if turn in (1, 3):
            run = stopped(app, tap, draw.randrange(1, 9), state=state)
            targets.take(with_schemas(run, case))
            state = run.state or state
            change(app, case, draw, delete=False)
        end = app.on_answer(once(lambda: change(app, case, draw, delete=False))) if turn == 4 else None
        run = tap.sync(state=state, reconcile="true" if turn == 5 else "auto")
        if end is not None:
            end()
        targets.take(run)
        state = run.state
        for target in targets.both:
            assert_children_are_arrays(target, case)
        change(app, case, draw, delete=turn % 2 == 0)
        later(app, tap, 30 * (turn + 1))
    last = tap.sync(state=state, reconcile="true")
    targets.take(last)
    for target in targets.both:
        assert_children_are_arrays(target, case)
        assert {key[0] for key in target.living(case.parent)} == set(case.ids(app))


def once(do: Any) -> Any:  # noqa: ANN401 - a callback
    """Return a callback for answers that does something after the third of them."""
    seen: list[int] = []

    def heed(moment: Any) -> None:  # noqa: ANN401 - a moment
        if moment.when == "after":
            seen.append(1)
            if len(seen) == 3:
                do()

    return heed


def with_schemas(run: Run, case: Case) -> Run:
    """Return a run that was stopped, with SCHEMA messages of streams that it did not get to."""
    keys = {case.parent: [case.key], **{name: [case.key_column, "_position"] for name in case.children}}
    told = [
        {"type": "SCHEMA", "stream": name, "key_properties": names}
        for name, names in keys.items()
        if name not in run.schemas
    ]
    run.messages[:0] = told
    return run
