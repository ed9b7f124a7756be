"""Broken answers are asked for again, and are never taken for the end of the data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_args

import pytest

from sandbox.copera.behaviour import RowsCut
from sandbox.faults import FINAL, FaultRule, Kind
from tap_crm.reading.emptiness import APART
from tests.copera.conftest import activated, table_streams
from tests.copera.truth import FIXED, differences, table_differences
from tests.singer import later, together
from tests.target import Target

if TYPE_CHECKING:
    from sandbox.copera import CoperaSandbox
    from sandbox.simulator import Moment
    from tests.copera.conftest import KnownOf, Start, StartRead
    from tests.singer import Run

OK = 200
SLOW = ("stall", "slow_headers")
#: Two boards with seven tables: few answers, so that each kind of fault meets each kind of answer.
SHAPE = {"boards": 2, "tables": 7, "rows": 105, "channels": 6, "documents": 6, "drive_files": 6, "bookings": 6}


def assert_complete(app: CoperaSandbox, *runs: Run) -> None:
    """Everything is there and right."""
    target = Target(*runs)
    assert table_differences(app.account, together(*runs), target) == {}
    for stream in FIXED:
        assert differences(app.account, stream, together(*runs), target) == {}, stream


@pytest.mark.parametrize("how", ["short_message", "closed", "chunks_end", "chunks_closed"])
def test_rows_that_are_cut_at_any_byte_are_asked_for_again(start: Start, known: KnownOf, how: str) -> None:
    """With and without a Content-Length: at the first bytes, within characters, and one byte before the end."""
    app, tap = start(SHAPE)
    places = [0, 1, 2, 0.1, 0.333, 0.5, 0.73, 0.9, 0.999, -3, -2, -1]
    tables = [table.id for table in app.account.tables.values()]
    due = {table: places[n :: len(tables)] for n, table in enumerate(tables)}

    def cut(moment: Moment) -> None:
        table = moment.request.path.split("/")[-2] if moment.request.path.endswith("/rows") else ""
        if moment.when == "before" and due.get(table):
            app.behaviour.rows_cut = RowsCut(at=due[table].pop(0), how=how, times=1, table=table)  # type: ignore[arg-type]

    app.on_answer(cut)
    run = tap.sync(catalog=known(SHAPE).tables)
    assert table_differences(app.account, run, Target(run)) == {}
    assert not any(due.values())
    assert sum(row["retries"] for row in run.audit().values()) == len(places)


def test_a_table_that_stays_cut_fails_by_name_without_a_version(start_read: StartRead) -> None:
    """The others are complete; the table's state and rows stay as they were."""
    app, tap, first = start_read(SHAPE)
    leads = app.account.table_named("Leads")
    app.account.delete("Leads", count=3)
    app.account.delete("People", count=3)
    app.behaviour.rows_cut = RowsCut(at=0.8, how="chunks_end", table=leads.id)
    second = tap.sync(state=first.state, expect=1, retry_seconds=1)
    assert "streams are not complete: sales__leads." in second.log
    assert "broken or cut JSON" in second.audit()["sales__leads"]["error"]
    assert "sales__leads" not in activated(second)
    assert "sales__people" in activated(second)
    assert second.count("sales__leads") == 0
    assert second.state["bookmarks"]["sales__leads"] == first.state["bookmarks"]["sales__leads"]
    assert "Traceback" not in second.log
    app.behaviour.rows_cut = RowsCut()
    assert_complete(app, first, second, tap.sync(state=second.state))


class FirstAnswersAreEmpty:
    """Every list says that there is nothing when it is asked for the first time."""

    def __init__(self, app: CoperaSandbox) -> None:
        self.app = app
        self.lies = 0
        self._asked: set[tuple[str, str]] = set()
        app.on_answer(self._on_answer)

    def _on_answer(self, moment: Moment) -> None:
        request, answer = moment.request, moment.answer
        question = (request.path, str(sorted(request.query.items())))
        if answer is None or answer.status != OK or question in self._asked or not self.app.is_search(request):
            return
        self._asked.add(question)
        self.lies += 1
        answer.body = self.app.shortened(answer, 0.0).body


def test_lists_that_are_empty_at_first_are_asked_twice(start: Start) -> None:
    """Nothing comes of a list that lies once; every fifth answer could hit both questions."""
    app, tap = start({**SHAPE, "tables": 12})
    liar = FirstAnswersAreEmpty(app)
    run = tap.sync()
    assert liar.lies > 20
    assert_complete(app, run)


def test_a_table_that_is_suddenly_empty_is_asked_twice(start_read: StartRead) -> None:
    """It is believed if a later run says so too: then its rows leave the target."""
    app, tap, first = start_read(SHAPE)
    app.behaviour.faults = [FaultRule(["empty_page"], at=[1], path="/rows")]
    second = tap.sync(state=first.state)
    assert activated(second) == []
    assert not any(second.count(stream) for stream in table_streams(second))
    app.behaviour.faults = []
    app.account.delete("Leads", ids=list(app.account.table_named("Leads").rows))
    app.stats.reset()
    doubted = tap.sync(state=second.state, expect=1)
    assert "sales__leads" not in activated(doubted)
    assert doubted.audit()["sales__leads"]["requests"] == 2
    later(app, tap, APART + 1)
    third = tap.sync(state=doubted.state)
    assert "sales__leads" in activated(third)
    assert third.audit()["sales__leads"]["source_total"] == 0
    assert_complete(app, first, second, third)
    app.stats.reset()
    assert tap.sync(state=third.state).audit()["sales__leads"]["requests"] == 1


NO_ROWS = (
    *(b"[{}]", b'[{"_id":"a"}]', b'[{"columns":[]}]', b"[null]", b'{"rows":[]}', b"[] []", b"[1]", b"null"),
    b'[{"_id":"a","columns":[]}',
    b'[{"_id":"a","columns":[]},]',
    b'[{"_id":"a","columns":[{"columnId":"b","value":NaN}]}]',
)


def test_an_answer_that_is_no_list_of_rows_is_not_believed(start: Start) -> None:
    """It fails the table, which nothing is written of."""
    app, tap = start({"tables": len(NO_ROWS), "rows": 100})
    said = dict(zip(app.account.tables, NO_ROWS, strict=True))

    def change(moment: Moment) -> None:
        if moment.answer is not None and moment.request.path.endswith("/rows"):
            moment.answer.body = said[moment.request.path.split("/")[-2]]

    app.on_answer(change)
    run = tap.sync(expect=1, retry_seconds=1)
    assert f"{len(NO_ROWS)} of " in run.log
    assert "Traceback" not in run.log
    assert activated(run) == []
    for stream in table_streams(run):
        assert run.count(stream) == 0, stream
        assert not run.audit()[stream]["complete"]
        assert run.state["bookmarks"].get(stream, {}).keys() <= {"column_types", "schema"}  # the columns were told


def test_half_of_a_character_does_not_stop_a_table(start: Start) -> None:
    """A preview that was cut within a pair of UTF-16 halves is valid JSON, though no valid text."""
    app, tap = start({"boards": 1, "tables": 4, "rows": 40})

    def change(moment: Moment) -> None:
        if moment.answer is not None and moment.request.path.endswith("/rows"):
            moment.answer.body = moment.answer.body.replace(b'"_id"', rb'"description":"cut \ud83d","_id"', 1)

    app.on_answer(change)
    run = tap.sync()
    assert run.records("sales__leads")[0]["description"].startswith("cut ")
    assert len(run.keys("sales__leads")) == len(app.account.table_named("Leads").rows)


def faulty(every: int) -> list[Any]:
    """Return a rule that breaks answers in all quick ways by turns."""
    return [
        FaultRule(
            [kind for kind in get_args(Kind) if kind not in (*SLOW, *FINAL, "half_page")], every=every, retry_after=0.1
        )
    ]


def test_changes_and_deletions_arrive_through_faults(start_read: StartRead) -> None:
    """A second run through broken answers."""
    app, tap, first = start_read(SHAPE)
    for name in ("Leads", "Companies", "Deals"):
        app.account.edit(name, count=5)
        app.account.create(name, count=2)
    app.account.delete("Deals", count=4)
    app.behaviour.faults = faulty(every=4)
    second = tap.sync(state=first.state)
    assert_complete(app, first, second)
