"""From the warehouse into the CRM and back, by the SQL of docs/two-way.md: who wins, whose a change is, no circle."""

# ruff: noqa: D103  (the name of a test is its sentence)
from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sandbox.behaviour import Meanwhile
from tests.target_crm.two_way import TwoWay, lost_edits, two_way

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(params=["copper", "close"])
def both(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[TwoWay]:
    with two_way(request.param, tmp_path) as made:
        yield made


def test_edits_go_there_and_back_and_are_told_from_those_of_people(both: TwoWay) -> None:
    text = both.words.text
    ours, taken, ours_then_theirs, theirs, *rest = sorted(both.truth(text))
    for key in (ours, taken, ours_then_theirs):
        both.edit(key, f"Edited {key}")
    both.wait()
    both.person(taken, **{text: "Theirs"})
    both.person(theirs, **{text: "Theirs"})
    both.wait()
    dry = both.write(both.outbox(), dry_run=True)
    done = both.write(both.outbox())
    assert done == dry == {ours: "updated", taken: "skipped", ours_then_theirs: "updated"}
    both.wait()
    both.person(ours_then_theirs, **{text: "Theirs, after ours"})
    both.wait()
    both.load()

    present = {ours: f"Edited {ours}", taken: "Theirs", ours_then_theirs: "Theirs, after ours", theirs: "Theirs"}
    assert both.truth(text).items() >= present.items()
    assert both.loaded(text) == both.truth(text)
    whose = dict.fromkeys([taken, ours_then_theirs, theirs, *rest], "theirs")
    assert both.whose() == {ours: "echo", **whose}
    assert [row[0] for row in both.ask(lost_edits())] == [taken]

    # A second round without edits
    before = both.writes()
    assert both.outbox() == []
    assert both.write([]) == {}
    everything = both.rows("SELECT id, title, date_modified FROM copper.people")
    assert set(both.write(everything, streams={both.words.stream: {"conflict": "fail"}}).values()) == {"unchanged"}
    assert both.writes() == before
    both.wait()
    run = both.load()
    assert run.records("writes") == []


def test_an_edit_made_anew_of_the_present_row_wins(both: TwoWay) -> None:
    text = both.words.text
    key = min(both.truth(text))
    both.edit(key, "First")
    both.wait()
    both.person(key, **{text: "Theirs"})
    both.wait()
    assert both.write(both.outbox()) == {key: "skipped"}
    both.load()
    both.ask("DELETE FROM edits")
    both.edit(key, "Second")
    assert both.write(both.outbox()) == {key: "updated"}
    both.wait()
    both.load()
    assert (both.truth(text)[key], both.loaded(text)[key], both.whose()[key]) == ("Second", "Second", "echo")


def test_an_edit_by_somebody_right_after_ours_is_theirs_as_far_as_times_can_tell(both: TwoWay) -> None:
    """Copper tells seconds, Close thousandths of them: within one of them only the value tells."""
    text = both.words.text
    key = min(both.truth(text))
    both.edit(key, "Ours")
    both.wait()
    both.app.behaviour.meanwhile = Meanwhile(every=1, when="after", times=1, changes={text: "Theirs"})
    assert both.write(both.outbox()) == {key: "updated"}
    both.wait()
    both.load()
    assert both.loaded(text)[key] == both.truth(text)[key] == "Theirs"
    ((changed, at),) = both.ask("SELECT date_modified, changed_at FROM whose WHERE changed_at IS NOT NULL")
    assert changed >= at
    assert both.whose()[key] == ("theirs" if changed > at else "echo")
    assert both.outbox() == [], "it is not sent once more over theirs"


def test_an_edit_by_somebody_between_look_and_write_keeps_its_other_fields(both: TwoWay) -> None:
    text, other = both.words.text, both.words.other
    key = min(both.truth(text))
    value = "https://theirs.example.com" if other == "url" else "theirs"
    both.edit(key, "Ours")
    both.wait()
    both.app.behaviour.meanwhile = Meanwhile(every=1, when="before", times=1, changes={other: value})
    assert both.write(both.outbox()) == {key: "updated"}
    both.wait()
    both.load()
    assert (both.truth(text)[key], both.truth(other)[key]) == ("Ours", value)
    assert (both.loaded(other)[key], both.whose()[key]) == (value, "echo")


def test_what_was_overwritten_is_told_by_the_time_before(both: TwoWay) -> None:
    text, other = both.words.text, both.words.other
    key = min(both.truth(text))
    both.edit(key, "Ours")
    both.wait()
    both.person(key, **{other: "https://theirs.example.com"})
    both.wait()
    streams = {both.words.stream: {"mode": "update", "conflict": "overwrite"}}
    assert both.write(both.outbox(), streams=streams) == {key: "updated"}
    both.wait()
    both.load()
    assert both.whose()[key] == "echo"
    query = "SELECT changed_before > edits.date_modified FROM edits JOIN whose USING (id)"
    assert both.ask(query) == [(True,)]


def test_an_answer_that_was_lost_leaves_it_unclear(both: TwoWay) -> None:
    text = both.words.text
    key = min(both.truth(text))
    both.edit(key, "Ours")
    both.wait()
    both.client.control("configure", {"faults": [{"kinds": ["502"], "only": "writes", "effect": "whole", "at": [1]}]})
    assert both.write(both.outbox()) == {key: "updated"}
    both.wait()
    both.load()
    assert (both.truth(text)[key], both.whose()[key], both.outbox()) == ("Ours", "unclear", [])
