"""A list that had records and now answers with none keeps its rows, until it is said repeatedly and apart."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from sandbox.faults import FaultRule
from tap_crm.reading.emptiness import APART
from tests.singer import later
from tests.target import Target, activated

if TYPE_CHECKING:
    from sandbox.simulator import Moment, Simulator
    from tests.singer import Run
    from tests.verdict.conftest import Read, Start

#: A list of each kind, and the end of its path.
LISTS = [
    pytest.param("copper", "loss_reasons", "loss_reasons", id="copper: one answer"),
    pytest.param("copper", "tags", "tags", id="copper: parts"),
    pytest.param("copper", "users", "users/search", id="copper: pages of a search"),
    pytest.param("close", "lead_statuses", "status/lead", id="close: one answer"),
    pytest.param("close", "outcomes", "outcome", id="close: pages"),
    pytest.param("close", "groups", "group", id="close: a list of what is asked for one by one"),
    pytest.param("copera", "channels", "chat/channels", id="copera: pages with a total"),
    pytest.param("copera", "booking_types", "booking-types", id="copera: one answer"),
    pytest.param("copera", "notifications", "notifications", id="copera: pages by id"),
    pytest.param("copera", "documents", "docs/tree", id="copera: a tree"),
    pytest.param("copera", "sales__leads", "/rows", id="copera: a table"),
]


#: Lists whose answers have a count, which contradicts that they are empty.
COUNTED = ("users", "channels", "documents")
#: Lists that are read on until nothing new comes, whatever an answer has.
PAGES_TO_THE_END = ("tags", "notifications")
#: Of fewer records than these, half is one, and one may be deleted at any time.
MANY = 3
#: Of the others one of each CRM: what a run remembers of a doubt is the same for all of them.
BELIEVED = ("tags", "outcomes", "sales__leads")


def empty(path: str, **rule: Any) -> list[FaultRule]:  # noqa: ANN401
    """Return the fault that answers of a path are empty and look whole; all of them, if nothing else is said."""
    return [FaultRule(["empty_page"], path=path, **(rule or {"every": 1}))]


def kept(stream: str, *runs: Run) -> bool:
    """Tell whether no row left the target."""
    return not Target(*runs).marked(stream)


@pytest.mark.parametrize(
    ("crm", "stream", "path"),
    [
        *(one for one in LISTS if one.values[1] not in PAGES_TO_THE_END),
        pytest.param("copper", "activity_types", "activity_types", id="copper: groups in one answer"),
        pytest.param("copera", "bookings", "bookings", id="copera: pages by cursor"),
    ],
)
def test_a_list_of_which_an_answer_has_only_half_keeps_its_rows(read: Read, crm: str, stream: str, path: str) -> None:
    """It had many more: it is asked for again, and the fuller answer is taken."""
    app, tap, first = read(crm, stream)
    assert first.count(stream) >= MANY
    app.behaviour.faults = [FaultRule(["half_page"], path=path, at=[1])]
    second = tap.sync(state=first.state)
    assert kept(stream, first, second)
    assert stream not in activated(second)
    assert second.audit()[stream]["distinct_ids"] == first.count(stream)


@pytest.mark.parametrize(("crm", "stream", "path"), LISTS)
def test_a_list_that_is_empty_all_of_a_sudden_keeps_its_rows_and_fails_by_name(
    read: Read, crm: str, stream: str, path: str
) -> None:
    """Fewer than a hundred rows, of which no limit of deletions speaks; when they show again, all is well."""
    app, tap, first = read(crm, stream)
    assert 0 < first.count(stream) < 100
    app.behaviour.faults = empty(path)
    second = tap.sync(state=first.state, expect=1)
    assert kept(stream, first, second)
    assert stream not in activated(second)
    row = second.audit()[stream]
    assert not row["complete"]
    count = first.count(stream)
    said = f"where the last complete read had {count}", f"the CRM counts {count} records and showed 0"
    assert any(words in row["error"] for words in said)
    assert f"1 of 1 streams are not complete: {stream}." in second.log
    app.behaviour.faults = []
    third = tap.sync(state=second.state)
    assert kept(stream, first, second, third)
    assert third.audit()[stream]["complete"]
    app.behaviour.faults = empty(path)
    later(app, tap, 2 * APART)
    assert not tap.sync(state=third.state, expect=1).audit()[stream]["complete"]  # the doubt begins anew


@pytest.mark.parametrize(("crm", "stream", "path"), LISTS)
def test_one_empty_answer_is_asked_for_again(read: Read, crm: str, stream: str, path: str) -> None:
    """In the same run: nobody hears of it."""
    app, tap, first = read(crm, stream)
    app.behaviour.faults = empty(path, at=[1])
    second = tap.sync(state=first.state)
    assert app.stats.faults["empty_page"] == 1
    assert kept(stream, first, second)
    assert second.audit()[stream]["complete"]


@pytest.mark.parametrize(("crm", "stream", "path"), [one for one in LISTS if one.values[1] in BELIEVED])
def test_emptiness_is_believed_when_a_later_run_finds_it_too(read: Read, crm: str, stream: str, path: str) -> None:
    """Not at once, which may be the same fault; half an hour later."""
    app, tap, first = read(crm, stream)
    app.behaviour.faults = empty(path)
    second = tap.sync(state=first.state, expect=1)
    soon = tap.sync(state=second.state, expect=1)
    assert kept(stream, first, second, soon)
    later(app, tap, APART + 1)
    last = tap.sync(state=soon.state)
    assert last.audit()[stream]["complete"]
    assert Target(first, second, soon, last).marked(stream) == first.keys(stream)
    again = tap.sync(state=last.state)
    assert again.audit()[stream]["complete"]


@pytest.mark.parametrize(("crm", "stream", "path"), [one for one in LISTS if one.values[1] in COUNTED])
def test_emptiness_that_its_own_count_contradicts_takes_no_row_away(
    read: Read, crm: str, stream: str, path: str
) -> None:
    """However often it is said, and however far apart."""
    app, tap, first = read(crm, stream)
    runs = [first]
    app.behaviour.faults = empty(path)
    for hours in (0, 1):
        later(app, tap, hours * 3_600)
        runs.append(tap.call(tap.command(state=runs[-1].state)))
        assert kept(stream, *runs)
        assert runs[-1].audit()[stream]["unexplained"] == runs[0].count(stream)


#: Streams of which one answer of several is emptied: the path of that, or the name of its list within the answer.
PARTS = [
    pytest.param("copper", "field_layouts", "field_layouts/by_entity/people", None, id="copper: one layout"),
    pytest.param("copper", "field_layouts", "pipelines", None, id="copper: what the layouts are asked by"),
    pytest.param("copper", "activity_types", "activity_types", "user", id="copper: one group"),
    pytest.param("close", "custom_fields", "custom_field/lead", None, id="close: one kind"),
    pytest.param("close", "bulk_actions", "bulk_action/email", None, id="close: one action"),
    pytest.param("close", "memberships", "organization/", "inactive_memberships", id="close: one group"),
    pytest.param("copera", "columns", "/tables", None, id="copera: the tables of one board"),
]


@pytest.mark.parametrize(("crm", "stream", "path", "within"), PARTS)
def test_one_list_of_several_that_is_empty_keeps_its_rows(
    start: Start, crm: str, stream: str, path: str, within: str | None
) -> None:
    """The stream has rows, fewer than before: that is no better."""
    app, tap = start(crm, stream)
    first = tap.sync()
    app.on_answer(_emptied(app, path, within))
    second = tap.sync(state=first.state, expect=1)
    assert 0 < second.count(stream) < first.count(stream)
    assert kept(stream, first, second)
    later(app, tap, APART + 1)
    third = tap.sync(state=second.state)
    assert Target(first, second, third).marked(stream) == first.keys(stream) - second.keys(stream)


def _emptied(app: Simulator, path: str, within: str | None) -> Any:  # noqa: ANN401
    """Return what empties the answers of a path, or one list in them; of several such paths the first one asked."""
    chosen: list[str] = []

    def empty_one(moment: Moment) -> None:
        if moment.answer is None or path not in moment.request.path:
            return
        chosen.append(moment.request.path)
        if moment.request.path != chosen[0]:
            return
        if within is None:
            moment.answer.body = app.shortened(moment.answer, 0.0).body
        else:
            moment.answer.body = json.dumps({**json.loads(moment.answer.body), within: []}).encode()

    return empty_one


def test_parts_of_a_list_that_come_empty_once_are_no_end(start: Start) -> None:
    """Sixty tags in parts of ten: each part but the first may be the one."""
    app, tap = start("copper", "tags", shape={"people": 300, "tags": 60}, tags_page=10)
    first = tap.sync()
    assert first.count("tags") > 30
    for number in (2, 3, 4):
        app.behaviour.faults = empty("tags", at=[number])
        run = tap.sync(state=first.state, reconcile="true")  # else nothing is written: it is the same
        assert kept("tags", first, run)
        assert run.keys("tags") == first.keys("tags")


def test_lists_that_were_always_empty_cost_one_question(start: Start) -> None:
    """Only what had records is doubted, and what nothing is known of."""
    app, tap = start("copper", "loss_reasons", "webhooks")
    for name in ("loss_reasons", "webhooks"):
        app.account.lists[name].clear()
    first = tap.sync()
    assert first.audit()["webhooks"]["requests"] == 2
    second = tap.sync(state=first.state)
    assert all(second.audit()[name]["requests"] == 1 for name in ("loss_reasons", "webhooks"))
