"""What is gone leaves the target, and nothing else does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.singer import Run
from tests.target import Target, activated

if TYPE_CHECKING:
    from tests.contract.conftest import Start
    from tests.contract.crm import Crm


def test_what_is_gone_from_a_list_leaves_the_target_by_each_run(crm: Crm, start: Start) -> None:
    """Each run reads such lists whole; the audit counts what is gone."""
    app, tap = start(*crm.listed)
    first = tap.sync()
    gone = {stream: crm.drop(app, stream) for stream in crm.listed}
    second = tap.sync(state=first.state)
    target = Target(first, second)
    for stream in crm.listed:
        assert gone[stream]
        assert target.marked(stream) == gone[stream], stream
        assert second.audit()[stream]["deletions"] == len(gone[stream]), stream
        assert activated(second)[stream] > activated(first)[stream]
    third = tap.sync(state=second.state)
    assert all(third.audit()[stream]["deletions"] == 0 for stream in crm.listed)


def test_a_complete_read_finds_what_is_gone_and_marks_nothing_that_lives(crm: Crm, start: Start) -> None:
    """Also of streams that are read by their changes; edits and new records arrive as ever."""
    app, tap = start(*crm.telling, *crm.edited)
    first = tap.sync()
    gone = {stream: crm.delete(app, stream, 5) for stream in crm.edited}
    for stream in crm.edited:
        crm.edit(app, stream, 3)
        crm.create(app, stream, 3)
    second = tap.sync(state=first.state, reconcile="true")
    target = Target(first, second)
    for stream in crm.edited:
        assert target.marked(stream) >= gone[stream], stream
        assert 0 < second.audit()[stream]["deletions"] <= len(target.marked(stream)), stream  # so many at least
    crm.assert_complete(app, first, second, streams=crm.edited)


def test_a_run_that_ends_in_the_middle_marks_nothing_that_lives(crm: Crm, start: Start) -> None:
    """Whatever of its output arrived."""
    app, tap = start(*crm.telling, *crm.listed, *crm.edited)
    first = tap.sync()
    gone = {stream: crm.drop(app, stream) for stream in crm.listed}
    for stream in crm.edited:
        crm.delete(app, stream, 3)
    second = tap.sync(state=first.state, reconcile="true")
    ends = [at for at, one in enumerate(second.messages) if one["type"] == "ACTIVATE_VERSION"]
    for cut in (1, ends[0] // 2, ends[0], ends[-1] // 2, ends[-1] - 1, ends[-1]):
        target = Target(first, Run(-9, "", second.messages[:cut]))
        for stream in crm.listed:
            assert target.marked(stream) <= gone[stream], stream
        for stream in crm.edited:
            assert not target.marked(stream) & second.keys(stream) or crm.tells_deletions, stream
