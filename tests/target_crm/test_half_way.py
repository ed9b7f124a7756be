"""What fails half-way: after a request of several took effect, or when the CRM refuses to look for one record."""

# ruff: noqa: D103  (the name of a test is its sentence)
from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tap_crm import errors
from tests.target_crm.copera_account import PEOPLE
from tests.target_crm.crms import CRMS, Account
from tests.target_crm.running import records, state

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tap_crm.ledger import Ledger
    from tap_crm.transport.question import Question, Reply
    from tests.target_crm.copper_double import CopperDouble
    from tests.target_crm.running import Bench

BY_MAIL = {"match": ["email"], "fields": {"email": "emails"}}
DELETED = "2026-11-01T00:00:00Z"
GAVE_UP = errors.GaveUp("no answer for long")


class Failing:
    """What a transport is, with another one behind it.

    Attributes:
        fails: returns what a question fails with; None: it is passed on.
        asked: what was passed on.
    """

    def __init__(self, crm: Any) -> None:  # noqa: ANN401 - any CRM's
        self._crm = crm
        self.fails: Callable[[Question], Exception | None] = lambda _: None
        self.asked: list[Question] = []

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401
        return getattr(self._crm, name)

    def ask(self, question: Question, parse: Callable[[Reply], Any], ledger: Ledger) -> Any:  # noqa: ANN401
        """Ask the CRM behind it, or fail."""
        failure = self.fails(question)
        if failure is not None:
            raise failure
        found = self._crm.ask(question, parse, ledger)
        self.asked.append(question)
        return found

    def wrote(self, method: str) -> bool:
        """Tell whether a request of this method, that writes, was answered."""
        return any(one.writes and one.method == method for one in self.asked)


@pytest.mark.parametrize("failure", [GAVE_UP, errors.Cancelled()])
def test_what_a_bulk_request_has_made_is_not_made_again_when_one_of_it_is_sent_alone_and_fails(
    bench: Bench, crm: CopperDouble, failure: Exception
) -> None:
    crm.dates = "text"
    bench.crm = door = Failing(crm)
    door.fails = lambda question: failure if (question.method, question.path) == ("POST", "/people") else None
    given = records("people", {"name": "A"}, {"name": "B", "custom_since": "2026-01-31"})
    done = bench.run(given, streams={"people": {"mode": "create"}}, on_reject="tolerate")
    assert (done.code, done.outcomes) == (0, {"created": 1, "rejected": 1}), done.said
    door.fails = lambda _: None
    again = bench.run(given, streams={"people": {"mode": "create"}})
    assert again.outcomes == {"skipped": 1, "created": 1}
    assert crm.counted("people", "name") == {"A": 1, "B": 1}


def test_a_new_row_whose_text_was_not_read_before_the_run_ended_is_not_made_again(tmp_path: Path) -> None:
    with CRMS["copera"]() as opened:
        account = Account(opened, tmp_path)
        account.bench.crm = door = Failing(account.door)
        given = records(PEOPLE, {"name": "A", "description": "long"})
        settings: dict[str, Any] = {"streams": {PEOPLE: {"mode": "create"}}}
        door.fails = lambda question: errors.Cancelled() if door.wrote("POST") and not question.writes else None
        first = account.bench.run(given, **settings)
        assert first.lines[0]["outcome"] != "skipped", "the row is there"
        door.fails = lambda _: None
        account.bench.run(given, **settings)
        assert opened.names() == {"A": 1}


@pytest.mark.parametrize("name", CRMS)
def test_a_deletion_that_could_not_be_proven_is_told_as_open_and_settled_the_next_time(
    name: str, tmp_path: Path
) -> None:
    with CRMS[name]() as crm:
        account = Account(crm, tmp_path)
        account.bench.crm = door = Failing(account.door)
        settings: dict[str, Any] = {"streams": {crm.stream: {**account.keyed, "on_delete": "delete"}}}
        account.bench.run(records(crm.stream, account.row(1)), **settings)
        if name == "copper":
            crm.transport._answer_object = _says_nothing(crm.transport._answer_object)  # noqa: SLF001 - the double's
        door.fails = lambda question: GAVE_UP if door.wrote("DELETE") and not question.writes else None
        gone = [*records(crm.stream, {"key": "k1", "_sdc_deleted_at": DELETED}), state(1)]
        first = account.bench.run(gone, **settings)
        assert ([line["outcome"] for line in first.lines], first.states) == (["unknown"], [])
        assert not crm.names()
        door.fails = lambda _: None
        assert account.bench.run(gone, **settings).outcomes == {"deleted": 1}


def _says_nothing(answer: Callable[..., Any]) -> Callable[..., Any]:
    """Return what answers deletions with an empty object, which tells nothing."""

    def answered(method: str, parts: list[str], body: dict[str, Any], *, half: bool) -> Any:  # noqa: ANN401
        found = answer(method, parts, body, half=half)
        return ({}, {}) if method == "DELETE" else found

    return answered


def test_a_record_for_which_the_crm_refuses_to_look_stops_no_other(bench: Bench, crm: CopperDouble) -> None:
    bench.crm = door = Failing(crm)
    door.fails = lambda question: (
        errors.Refused("422", said="Emails: invalid") if "bad@" in str((question.body or {}).get("emails")) else None
    )
    rows = [{"email": f"{'bad' if at == 17 else at}@example.com", "name": f"Name {at}"} for at in range(30)]
    done = bench.run([*records("people", *rows), state(1)], streams={"people": BY_MAIL})
    assert (done.outcomes, done.states) == ({"created": 29, "rejected": 1}, [{"at": 1}]), done.said
    assert done.by_key()["bad@example.com"]["reason"] == "the CRM refuses to look for it: Emails: invalid"
    assert len(door.asked) < 40, "the others are looked for together"


def test_a_crm_that_refuses_every_look_is_not_asked_for_each_record(bench: Bench, crm: CopperDouble) -> None:
    bench.crm = door = Failing(crm)
    refused = errors.Refused("422", said="no")
    tried: list[Question] = []

    def fails(question: Question) -> Exception | None:
        is_look = "emails" in (question.body or {})
        tried.extend([question] * is_look)
        return refused if is_look else None

    door.fails = fails
    rows = [{"email": f"{at}@example.com", "name": f"Name {at}"} for at in range(300)]
    done = bench.run([*records("people", *rows), state(1)], streams={"people": BY_MAIL})
    assert (done.code, done.outcomes, done.states) == (1, {"rejected": 20, "skipped": 280}, [])
    assert len(tried) < 60


def test_a_right_that_is_missing_to_look_for_what_is_open_stops_that_stream_only(
    bench: Bench, crm: CopperDouble
) -> None:
    bench.crm = door = Failing(crm)
    crm.fault = lambda question, _: "after" if question.path == "/people" else None
    door.fails = lambda question: (
        errors.Forbidden("people: 403") if "minimum_created_date" in (question.body or {}) else None
    )
    given = [
        *records("people", {"email": "a@example.com", "name": "A"}),
        *records("companies", {"id": crm.add("companies", name="C")["id"], "_sdc_deleted_at": DELETED}),
        state(1),
    ]
    streams = {"people": BY_MAIL, "companies": {"on_delete": "delete"}}
    done = bench.run(given, streams=streams)
    assert (done.code, done.states) == (1, [])
    assert {line["stream"]: line["outcome"] for line in done.lines} == {"people": "unknown", "companies": "deleted"}
    door.fails = lambda _: None
    crm.fault = lambda _question, _number: None
    again = bench.run(given, streams=streams)
    assert (again.code, again.outcomes, again.states) == (0, {"created": 1, "unchanged": 1}, [{"at": 1}])
    assert crm.counted("people", "name") == {"A": 1}


@pytest.mark.parametrize(("row", "outcome"), [({"title": "B"}, "updated"), ({"_sdc_deleted_at": DELETED}, "deleted")])
def test_an_id_that_a_search_does_not_show_is_asked_for_before_it_counts_as_not_there(
    bench: Bench, crm: CopperDouble, row: dict[str, Any], outcome: str
) -> None:
    made = crm.add("people", name="A", title="A", date_created=int(crm.now), date_modified=int(crm.now))
    crm.lag = 60
    done = bench.run(records("people", {"id": made["id"], **row}), streams={"people": {"on_delete": "delete"}})
    assert done.outcomes == {outcome: 1}
    assert len(crm.rows("people")) == (outcome == "updated")
