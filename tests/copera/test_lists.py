"""Trees, lists by offset, by cursor and by id: all of them, whatever Copera's documentation leaves open."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from tests.copera.conftest import choosing
from tests.copera.truth import differences
from tests.singer import merged
from tests.target import Target

if TYPE_CHECKING:
    from sandbox.simulator import Moment
    from tests.copera.conftest import KnownOf, Start, StartRead

FEW = {"boards": 1, "tables": 4, "rows": 0}
DEEP_AND_WIDE = {**FEW, "documents": 130, "drive_files": 110, "document_roots": 12}
CUT = {"depth_cut": "listed", "cut_children": "absent", "tree_total": "answer"}


@pytest.mark.parametrize(
    ("shape", "knobs"),
    [
        ({**FEW, "documents": 650, "drive_files": 540, "document_roots": 60}, {"parent_semantics": "node"}),
        (DEEP_AND_WIDE, {"parent_semantics": "children", "tree_cap": 100}),
        *((DEEP_AND_WIDE, {"parent_semantics": parent, "tree_cap": 80, **CUT}) for parent in ("node", "children")),
    ],
    ids=str,
)
def test_trees_arrive_whole(start: Start, known: KnownOf, shape: dict[str, Any], knobs: dict[str, Any]) -> None:
    """Six hundred and fifty documents, of which an answer shows five hundred, ten levels deep; and fewer of fewer."""
    app, tap = start(shape, **knobs)
    run = tap.sync(catalog=choosing(known(FEW), "documents", "drive_files"))
    target = Target(run)
    for stream in ("documents", "drive_files"):
        assert differences(app.account, stream, run, target) == {}, stream
        assert run.count(stream) == len(run.keys(stream)), stream
        assert run.audit()[stream]["unexplained"] == 0
    parents = [node["_id"] for node in app.account.records("documents")]
    assert all(record.get("parent") in (None, *parents) for record in run.records("documents")[:50])


@pytest.mark.parametrize("parent", ["node", "children"])
def test_a_chain_far_deeper_than_an_answer_arrives_whole(start: Start, known: KnownOf, parent: str) -> None:
    """Fifty levels."""
    app, tap = start({**FEW, "documents": 60}, parent_semantics=parent)
    ids = list(app.account.lists["documents"])
    for above, below in pairwise(ids):
        app.account.lists["documents"][below]["parent"] = above
    app.account.lists["documents"][ids[0]].pop("parent", None)
    run = tap.sync(catalog=choosing(known(FEW), "documents"))
    assert differences(app.account, "documents", run, Target(run)) == {}


@pytest.mark.parametrize("total", ["all", "answer"])
def test_a_document_that_is_moved_while_the_tree_is_read_arrives(start: Start, known: KnownOf, total: str) -> None:
    """From a branch that comes later to one that was read; a document that is made at the same time hides the gap."""
    app, tap = start({**FEW, "documents": 90, "document_roots": 6}, tree_cap=30, tree_total=total)
    documents = app.account.lists["documents"]
    moved: list[str] = []

    def move(moment: Moment) -> None:
        if moment.when == "before" or moment.request.path != "docs/tree" or moved:
            return
        shown: dict[str, Any] = {}
        waiting = msgspec.json.decode(moment.answer.body if moment.answer else b"{}")["root"]
        while waiting:
            node = waiting.pop()
            shown[node["_id"]] = node
            waiting += node["children"]
        leaf = next(key for key, node in shown.items() if not node["hasChildren"])
        parents = {node.get("parent") for node in documents.values()}
        moved.append(next(key for key in documents if key not in shown and key not in parents))
        documents[moved[0]]["parent"] = leaf
        app.account.create("documents", count=1)

    app.on_answer(move)
    run = tap.sync(catalog=choosing(known(FEW), "documents"))
    assert {key for (key,) in run.keys("documents")} >= documents.keys()
    assert run.count("documents") == len(run.keys("documents"))
    assert merged("documents", run)[moved[0],]["parent"] == documents[moved[0]]["parent"]


def test_a_tree_that_fits_one_answer_costs_one_request(start: Start, known: KnownOf) -> None:
    """Nothing can move while it is read."""
    app, tap = start({**FEW, "documents": 12, "document_roots": 6})
    catalog = choosing(known(FEW), "documents")
    app.stats.reset()
    run = tap.sync(catalog=catalog)
    assert differences(app.account, "documents", run, Target(run)) == {}
    assert app.stats.by_path["docs/tree"] == 1


@pytest.mark.parametrize("total", ["all", "answer"])
@pytest.mark.parametrize("where", ["root", "node"])
def test_more_children_than_an_answer_holds_are_named_as_incomplete(
    start: Start, known: KnownOf, where: str, total: str
) -> None:
    """There is no way to ask for the rest: those that came are written, and the exit code is 1."""
    app, tap = start({**FEW, "documents": 150, "document_roots": 20}, tree_cap=40, tree_total=total)
    documents = app.account.lists["documents"]
    first, *others = documents
    documents[first].pop("parent", None)
    for number, key in enumerate(others):
        documents[key].pop("parent", None)
        if where == "node":
            documents[key]["parent"] = first
        elif number % 3 == 0:
            documents[key]["parent"] = others[1]
    run = tap.sync(catalog=choosing(known(FEW), "documents", "drive_files"), expect=1)
    assert "streams are not complete: documents." in run.log
    assert 30 < run.count("documents") < 150
    assert run.audit()["drive_files"]["complete"]


@pytest.mark.parametrize(
    ("stream", "churn"),
    [
        ("channels", {}),
        ("members", {}),
        ("teams", {}),
        ("channels", {"insert": 3, "times": 2}),
        ("members", {"delete": 3, "times": 2}),
        ("teams", {"insert": 2, "delete": 2}),
        ("channels", {"delete": 3, "times": 2}),
    ],
)
def test_lists_by_offset_arrive_whole_though_they_shift(
    start: Start, known: KnownOf, stream: str, churn: dict[str, int]
) -> None:
    """Everything that was there before and after is there."""
    shape = {**FEW, stream: {"channels": 450, "members": 1_100, "teams": 430}[stream]}
    app, tap = start(shape)
    catalog = choosing(known(FEW), stream)
    before = set(app.account.ids(stream))
    if churn:
        app.behaviour.offset_churn = type(app.behaviour.offset_churn)(**churn)
    run = tap.sync(catalog=catalog)
    found = {key for (key,) in run.keys(stream)}
    assert found >= before & set(app.account.ids(stream))
    if not churn:
        assert differences(app.account, stream, run, Target(run)) == {}
        assert run.audit()[stream]["source_total"] == len(before)


@pytest.mark.parametrize(("stream", "count"), [("channels", 400), ("members", 1_100)])
def test_a_full_page_of_a_list_by_offset_is_not_the_last_on_the_word_of_its_count(
    start: Start, known: KnownOf, stream: str, count: int
) -> None:
    """The total is that of each answer."""
    app, tap = start({**FEW, stream: count}, offset_total="answer")
    run = tap.sync(catalog=choosing(known(FEW), stream))
    assert differences(app.account, stream, run, Target(run)) == {}


@pytest.mark.parametrize(
    ("envelope", "last"), [("bookings", "null"), ("bookings", "absent"), ("items", "absent"), ("", "null")]
)
def test_bookings_arrive_page_after_page(start: Start, known: KnownOf, envelope: str, last: str) -> None:
    """Whatever the list is called; a bare list has all of them."""
    shape = {**FEW, "bookings": 330, "booking_types": 7}
    app, tap = start(shape, bookings_envelope=envelope, booking_types_envelope=envelope, last_cursor=last)
    run = tap.sync(catalog=choosing(known(FEW), "bookings", "booking_types"))
    target = Target(run)
    for stream in ("bookings", "booking_types"):
        assert differences(app.account, stream, run, target) == {}, stream
    assert run.audit()["bookings"]["requests"] == (4 if envelope else 1)


def test_bookings_that_a_workspace_does_not_have_are_left_out(start: Start) -> None:
    """With a warning; from the catalog too."""
    app, tap = start(FEW, bookings="404")
    catalog, log = tap.discover()
    assert not {"bookings", "booking_types"} & {entry["tap_stream_id"] for entry in catalog["streams"]}
    run = tap.sync()
    for stream in ("bookings", "booking_types"):
        assert f"stream `{stream}` is left out" in log
        assert f"stream `{stream}` is left out" in run.log
    assert app.stats.by_path["bookings"] == 2


@pytest.mark.parametrize(
    ("order", "after", "count"),
    [
        *((order, after, 70) for order in ("newest", "oldest") for after in ("newer", "next")),
        *(("newest", "newer", few) for few in (0, 1)),
        *(("oldest", "next", few) for few in (0, 1)),
    ],
)
def test_notifications_arrive_whole_in_either_order(
    start: Start, known: KnownOf, order: str, after: str, count: int
) -> None:
    """Copera's guides disagree on the direction."""
    app, tap = start({**FEW, "notifications": count}, notification_order=order, notification_after=after)
    run = tap.sync(catalog=choosing(known(FEW), "notifications"))
    assert len(run.keys("notifications")) == len(app.account.ids("notifications"))
    assert differences(app.account, "notifications", run, Target(run)) == {}


def test_records_that_disappear_from_a_list_do_not_stop_it(start_read: StartRead) -> None:
    """Channels, documents and boards that are deleted between two runs."""
    app, tap, first = start_read({"boards": 4, "tables": 8, "rows": 40})
    app.account.delete("channels", count=3)
    app.account.delete("documents", count=1)
    app.account.delete("boards", ids=[app.account.table_named("Everything").board])
    second = tap.sync(state=first.state)
    target = Target(second)
    for stream in ("channels", "documents", "boards", "tables", "columns"):
        assert differences(app.account, stream, second, target) == {}, stream
        assert merged(stream, first, second).keys() >= second.keys(stream)


def test_a_cursor_that_leads_back_is_no_end(start: Start, known: KnownOf) -> None:
    """Bookings whose pages repeat are not complete, and do not go on for ever."""
    app, tap = start({**FEW, "bookings": 250})

    def lead_back(moment: Moment) -> None:
        if moment.answer is not None and moment.request.path == "bookings":
            body = json.loads(moment.answer.body)
            body["nextCursor"] = body["nextCursor"] and first.setdefault("cursor", body["nextCursor"])
            moment.answer.body = json.dumps(body).encode()

    first: dict[str, str] = {}
    catalog = choosing(known(FEW), "bookings", "teams")
    app.on_answer(lead_back)
    run = tap.sync(catalog=catalog, expect=1)
    assert "bookings: the CRM's cursors lead back" in run.log
    assert run.audit()["teams"]["complete"]


def test_a_page_of_notifications_that_comes_again_is_no_end(start: Start, known: KnownOf) -> None:
    """Each question but the first one is answered by the first page when it is asked the first time."""
    app, tap = start({**FEW, "notifications": 50})
    bodies: dict[str, bytes] = {}
    repeated = 0

    def repeat(moment: Moment) -> None:
        nonlocal repeated
        question = str(sorted(moment.request.query.items()))
        if moment.answer is None or "notifications" not in moment.request.path or question in bodies:
            return
        bodies[question] = moment.answer.body
        repeated += len(bodies) > 1
        moment.answer.body = next(iter(bodies.values()))

    app.on_answer(repeat)
    run = tap.sync(catalog=choosing(known(FEW), "notifications"))
    assert repeated > 1
    assert differences(app.account, "notifications", run, Target(run)) == {}
