"""What costs a request for each row or document: not selected unless asked for, then complete."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sandbox.faults import FaultRule
from tests.copera.conftest import choosing
from tests.copera.truth import PER_PARENT, differences
from tests.target import Target

if TYPE_CHECKING:
    from sandbox.simulator import Moment
    from tests.copera.conftest import KnownOf, Start

SHAPE = {"boards": 1, "tables": 4, "rows": {"Leads": 20, "People": 8}, "comments": 60, "documents": 15}


def test_they_are_not_selected_by_default(start: Start) -> None:
    """A run without a catalog does not read them."""
    _, tap = start(SHAPE)
    run = tap.sync()
    assert not set(PER_PARENT) & set(run.schemas)
    assert not set(PER_PARENT) & run.audit().keys()


@pytest.mark.parametrize("order", ["oldest", "newest"])
def test_they_are_complete_when_selected(start: Start, known: KnownOf, order: str) -> None:
    """Page after page of comments; every text; and a warning of what it costs."""
    app, tap = start(SHAPE, comment_order=order, comment_page=7)
    run = tap.sync(catalog=choosing(known(SHAPE), *PER_PARENT))
    target = Target(run)
    for stream in PER_PARENT:
        assert run.count(stream) > 0, stream
        assert differences(app.account, stream, run, target) == {}, stream
        assert f"{stream}: costs a request for each row or document" in run.log
        assert run.audit()[stream]["complete"]
    assert max(len(found) for found in app.account.comments.values()) > 7


def test_they_are_complete_through_faults(start: Start, known: KnownOf) -> None:
    """Empty pages among them, where the page itself says that it cannot be empty."""
    app, tap = start(SHAPE, comment_page=7)
    catalog = choosing(known(SHAPE), *PER_PARENT)
    app.behaviour.faults = [FaultRule(["cut_json", "cut_connection", "broken_json", "null", "drop"], every=9)]
    run = tap.sync(catalog=catalog)
    target = Target(run)
    for stream in PER_PARENT:
        assert differences(app.account, stream, run, target) == {}, stream
    assert app.stats.faults


def test_empty_pages_of_comments_are_not_believed_against_their_own_word(start: Start, known: KnownOf) -> None:
    """`pageInfo` names a last comment."""
    app, tap = start(SHAPE, comment_page=7)
    catalog = choosing(known(SHAPE), "row_comments")
    app.behaviour.faults = [FaultRule(["empty_page"], every=4, path="comments")]
    run = tap.sync(catalog=catalog)
    assert differences(app.account, "row_comments", run, Target(run)) == {}


def test_rows_that_are_deleted_meanwhile_are_skipped(start: Start, known: KnownOf) -> None:
    """404 between the list and the question is no error."""
    app, tap = start(SHAPE)
    catalog = choosing(known(SHAPE), "row_comments", "row_descriptions", "document_contents")
    deleted: list[str] = []

    def delete(moment: Moment) -> None:
        if moment.when == "before" and moment.request.path.endswith("/comments") and not deleted:
            deleted.extend(app.account.delete("Leads", count=10))
            app.account.delete("documents", count=1)

    app.on_answer(delete)
    run = tap.sync(catalog=catalog)
    target = Target(run)
    for stream in ("row_comments", "row_descriptions", "document_contents"):
        assert not differences(app.account, stream, run, target).keys() - {"surplus"}, stream


def test_rows_whose_ids_are_none_are_asked_for_again(start: Start, known: KnownOf) -> None:
    """An answer that is wrong once is no list of addresses to ask: the CRM would refuse them for good."""
    app, tap = start(SHAPE)
    broken: list[str] = []

    def spoil(moment: Moment) -> None:
        path = moment.request.path
        if moment.answer is not None and path.endswith("/rows") and path not in broken:
            broken.append(path)
            moment.answer.body = moment.answer.body.replace(b'"_id":"', b'"_id":{"a":1},"was":"')

    app.on_answer(spoil)
    run = tap.sync(catalog=choosing(known(SHAPE), "row_descriptions"))
    assert broken
    assert differences(app.account, "row_descriptions", run, Target(run)) == {}
