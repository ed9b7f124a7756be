"""What is Copera's own: cells, links, texts, comments, cells that are ignored."""

# ruff: noqa: D103  (the name of a test is its sentence)
from __future__ import annotations

import json
from collections import Counter
from contextlib import closing
from dataclasses import replace
from itertools import count
from typing import TYPE_CHECKING, Any, Literal

import pytest

from sandbox.faults import FaultRule
from tap_crm import errors
from tap_crm.errors import ConfigError
from tap_crm.providers import PROVIDERS
from tap_crm.transport.pacing.pacing import Pacing
from target_crm.journal.history import History
from target_crm.journal.journal import Journal
from target_crm.kinds.options import Choice
from target_crm.sync.verify import Verification
from target_crm.writers.copera.kinds import Members
from tests.target_crm.copera_account import COMPANIES, DEALS, EVERYTHING, LEADS, PEOPLE, CoperaAccount, copera_account
from tests.target_crm.running import Bench, Killed, records, schema, state

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tap_crm.ledger import Ledger
    from tap_crm.transport.question import Question, Reply

KEYED: dict[str, Any] = {"match": ["key"], "external_id": "our_key"}


@pytest.fixture
def crm() -> Iterator[CoperaAccount]:
    with copera_account() as account:
        yield account


@pytest.fixture
def bench(tmp_path: Path, crm: CoperaAccount) -> Bench:
    return Bench(tmp_path, crm, crm.credentials)


def test_a_cell_that_the_crm_ignores_without_a_word_is_rejected_and_named(bench: Bench, crm: CoperaAccount) -> None:
    done = bench.run(records(PEOPLE, {"key": "k1", "name": "Ann", "company": ["f" * 24]}), streams={PEOPLE: KEYED})
    assert (done.code, done.outcomes) == (1, {"rejected": 1})
    assert done.lines[0]["reason"] == "the CRM ignored `company`"
    assert done.lines[0]["crm_id"] == crm.rows(PEOPLE)[0]["_id"]


def test_a_key_that_would_be_another_address_is_no_row(bench: Bench, crm: CoperaAccount) -> None:
    made = bench.run(records(PEOPLE, {"key": "k1", "name": "Ann"}), streams={PEOPLE: KEYED}).lines[0]["crm_id"]
    rows = [{"_id": f"{made}/comments", "name": "B"}, {"_id": f"{made}?x=1", "name": "B"}, {"_id": made, "name": "C"}]
    done = bench.run(records(PEOPLE, *rows), streams={PEOPLE: {"mode": "update"}})
    assert [line["outcome"] for line in done.lines] == ["skipped", "skipped", "updated"]
    assert [row["Name"] for row in crm.rows(PEOPLE)] == ["C"]


def test_an_id_in_capitals_is_the_same_row(bench: Bench, crm: CoperaAccount) -> None:
    acme = crm.add(COMPANIES, Name="Acme")["_id"]
    key = crm.add(PEOPLE, Name="Ann")["_id"]
    given = {"_id": key.upper(), "name": "Bea", "company": [acme.upper()]}
    assert key != key.upper()
    done = bench.run(records(PEOPLE, given, {"_id": key, "name": "Cy"}), streams={PEOPLE: {}})
    assert [line["outcome"] for line in done.lines] == ["updated", "updated"], done.lines
    assert [(row["Name"], row["Company"]) for row in crm.rows(PEOPLE)] == [("Cy", [acme])]
    last = bench.run(records(PEOPLE, given | {"name": "Cy"}), streams={PEOPLE: {}})
    assert (last.code, last.outcomes) == (0, {"unchanged": 1})


def test_options_are_written_by_label_or_id_and_unknown_ones_are_named(bench: Bench, crm: CoperaAccount) -> None:
    option = crm.option(DEALS, "Stage")
    rows = [
        {"key": "k1", "name": "A", "stage": option["label"].upper()},
        {"key": "k2", "name": "B", "stage": option["optionId"]},
        {"key": "k3", "name": "C", "stage": "No such stage"},
    ]
    done = bench.run(records(DEALS, *rows), streams={DEALS: KEYED})
    assert done.outcomes == {"created": 2, "rejected": 1}
    assert option["label"] in done.by_key()["k3"]["reason"]
    assert {row["Stage"] for row in crm.rows(DEALS)} == {option["optionId"]}
    assert bench.run(records(DEALS, *rows[:2]), streams={DEALS: KEYED}).outcomes["unchanged"] == 2


@pytest.mark.parametrize("beside", ["columns", "source_ids"])
def test_a_label_of_two_options_is_told_apart_by_the_id_beside_it(
    bench: Bench, crm: CoperaAccount, beside: str
) -> None:
    first, other, second = (crm.option(LEADS, "Source", at) for at in (0, 1, 3))
    assert first["label"] == second["label"]

    def with_id(key: str) -> Any:  # noqa: ANN401
        return [{"columnId": crm.column(LEADS, "Source"), "value": key}] if beside == "columns" else [key]

    keys = {"k1": second, "k2": first, "k3": other}
    rows = [
        {"key": key, "name": key, "source": first["label"], beside: with_id(one["optionId"])}
        for key, one in keys.items()
    ]
    done = bench.run(records(LEADS, *rows), streams={LEADS: KEYED})
    assert {row["Name"]: row["Source"] for row in crm.rows(LEADS)} == {
        "k1": second["optionId"],
        "k2": first["optionId"],
    }
    assert "more than one" in done.by_key()["k3"]["reason"]


def test_links_to_rows_that_were_written_become_their_ids(bench: Bench, crm: CoperaAccount) -> None:
    messages = [  # people come before the companies to which they link
        *records(PEOPLE, {"key": "p1", "name": "Ann", "company": ["c1"]}),
        *records(COMPANIES, {"key": "c1", "name": "Acme"}),
    ]
    streams = {PEOPLE: KEYED, COMPANIES: KEYED}
    done = bench.run(messages, streams=streams)
    assert (done.code, done.outcomes) == (0, {"created": 2}), done.lines
    assert crm.rows(PEOPLE)[0]["Company"] == [crm.rows(COMPANIES)[0]["_id"]]
    assert bench.run(messages, streams=streams).outcomes == {"unchanged": 2}


def circle(at: int = 1) -> list[dict[str, Any]]:
    """Return a person and a company that refer to each other."""
    person = {"key": f"p{at}", "name": f"Ann {at}", "company": [f"c{at}"]}
    return [
        *records(PEOPLE, person),
        *records(COMPANIES, {"key": f"c{at}", "name": f"Acme {at}", "people": [f"p{at}"]}),
        state(1),
    ]


@pytest.mark.parametrize(("lost", "effect"), [(0, "before"), (1, "after"), (2, "before"), (3, "before"), (3, "after")])
def test_records_that_refer_to_each_other_are_written_in_two_turns(
    bench: Bench, crm: CoperaAccount, lost: int, effect: str
) -> None:
    crm.app.behaviour.rejected_values = "refused"
    streams = {PEOPLE: KEYED, COMPANIES: KEYED}
    dry = bench.run(circle(), streams=streams, dry_run=True)
    assert (dry.code, dry.outcomes, crm.writes) == (0, {"created": 2}, [])
    crm.fault = lambda _, number: effect if number == lost else None
    done = bench.run(circle(), streams=streams, lookup_seconds=10)
    assert (done.code, done.outcomes, done.states) == (0, {"created": 2}, [{"at": 1}]), done.lines
    assert done.by_key()["p1"]["changes"]["name"] == [None, "Ann 1"]
    (person,), (company,) = crm.rows(PEOPLE), crm.rows(COMPANIES)
    assert (person["Company"], company["People"]) == ([company["_id"]], [person["_id"]])
    assert bench.run(circle(), streams=streams).outcomes == {"unchanged": 2}


@pytest.mark.parametrize(("lost", "linked"), [(0, ""), (1, ""), (0, "Bea"), (0, "Cy"), (2, "Bea, Cy")])
def test_what_came_later_for_a_key_is_written_after_the_second_turn_of_what_came_first(
    bench: Bench, crm: CoperaAccount, lost: int, linked: str
) -> None:
    crm.app.behaviour.rejected_values = "refused"
    streams = {PEOPLE: KEYED, COMPANIES: KEYED}
    first, *others = circle()[1:]
    edits = [{"key": "p1", "name": name, **({"company": ["c1"]} if name in linked else {})} for name in ("Bea", "Cy")]
    given = [*circle()[:2], *({**first, "record": edit} for edit in edits), *others]
    dry = bench.run(given, streams=streams, dry_run=True)
    crm.fault = lambda _, number: "after" if number == lost else None
    done = bench.run(given, streams=streams, lookup_seconds=10)
    assert (done.code, done.outcomes, done.states) == (0, {"created": 2, "updated": 2}, [{"at": 1}]), done.lines
    assert dry.outcomes == done.outcomes
    (person,), (company,) = crm.rows(PEOPLE), crm.rows(COMPANIES)
    assert (person["Name"], person["Company"], company["People"]) == ("Cy", [company["_id"]], [person["_id"]])


def test_what_came_later_for_a_key_has_its_line_where_the_run_ends_before_its_turn(
    bench: Bench, crm: CoperaAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    streams = {PEOPLE: KEYED, COMPANIES: KEYED}
    first, *others = circle()[1:]
    given = [*circle()[:2], {**first, "record": {"key": "p1", "name": "Bea"}}, *others]
    ask = crm.ask

    def expired(question: Question, parse: Callable[[Reply], Any], ledger: Ledger) -> Any:  # noqa: ANN401
        if question.writes and len(crm.writes) == 2:  # the second turn of `p1`
            raise errors.CredentialsRefused("401")
        return ask(question, parse, ledger)

    monkeypatch.setattr(crm, "ask", expired)
    done = bench.run(given, streams=streams)
    assert (done.code, done.states, Counter(line["key"] for line in done.lines)) == (1, [], {"p1": 2, "c1": 1})
    monkeypatch.setattr(crm, "ask", ask)
    again = bench.run(given, streams=streams)
    assert (again.code, again.states, len(again.lines)) == (0, [{"at": 1}], 3), again.lines
    assert [(row["Name"], len(row["Company"])) for row in crm.rows(PEOPLE)] == [("Bea", 1)]


def test_what_is_only_made_is_made_in_two_turns_too(bench: Bench, crm: CoperaAccount) -> None:
    crm.app.behaviour.rejected_values = "refused"
    streams = {name: {**KEYED, "mode": "create", "conflict": "fail"} for name in (PEOPLE, COMPANIES)}
    assert bench.run(circle(), streams=streams).outcomes == {"created": 2}
    assert crm.rows(PEOPLE)[0]["Company"] == [crm.rows(COMPANIES)[0]["_id"]]


def test_a_death_between_the_two_turns_doubles_and_loses_nothing(tmp_path: Path, crm: CoperaAccount) -> None:
    crm.app.behaviour.rejected_values = "refused"
    settings: dict[str, Any] = {"streams": {PEOPLE: KEYED, COMPANIES: KEYED}}
    for at in count(1):
        left = [at]

        def step(name: str, left: list[int] = left) -> None:
            left[0] -= name.startswith("after")
            if left[0] == 0:
                raise Killed

        bench = Bench(tmp_path / str(at), crm, crm.credentials)
        bench.folder.mkdir()
        if bench.run(circle(at), step, **settings).code == 0:
            break
        again = bench.run(circle(at), **settings)
        assert (again.code, again.states) == (0, [{"at": 1}]), (at, again.lines)
        people = {row["Name"]: row for row in crm.rows(PEOPLE)}
        companies = {row["Name"]: row for row in crm.rows(COMPANIES)}
        assert len(crm.rows(PEOPLE)) == len(people) == len(crm.rows(COMPANIES)) == len(companies) == at
        assert people[f"Ann {at}"]["Company"] == [companies[f"Acme {at}"]["_id"]], at
        assert set(Counter((line["run_id"], line["key"]) for line in bench.lines()).values()) == {1}
    assert at > 5


def test_a_record_that_refers_to_a_rejected_one_is_there_when_that_is(bench: Bench, crm: CoperaAccount) -> None:
    crm.app.behaviour.rejected_values = "refused"
    streams = {PEOPLE: KEYED, COMPANIES: KEYED}
    person, company = circle()[:2], circle()[2:4]
    assert bench.run(person, streams=streams).outcomes == {"rejected": 1}
    created: list[int] = []

    def step(name: str) -> None:
        created.append(len(crm.rows(PEOPLE)) if name == "after settle" else 0)
        if created[-1]:
            raise Killed

    assert bench.run(company, step, streams=streams).code == -9  # between the two turns
    done = bench.run([], streams=streams)
    assert (done.code, done.by_key()["c1"]["outcome"]) == (0, "unchanged")  # the other side of the link has it already
    assert crm.rows(PEOPLE)[0]["Company"] == [crm.rows(COMPANIES)[0]["_id"]]


def test_a_text_is_written_by_its_own_route_and_a_preview_changes_nothing(bench: Bench, crm: CoperaAccount) -> None:
    long = "A long text. " * 20
    given = records(PEOPLE, {"key": "k1", "name": "Ann", "about": "Short", "description": "Said"})
    assert bench.run(given, streams={PEOPLE: KEYED}).code == 0
    key = crm.rows(PEOPLE)[0]["_id"]
    changed = bench.run(records(PEOPLE, {"key": "k1", "about": long}), streams={PEOPLE: KEYED})
    assert (changed.outcomes, crm.text(PEOPLE, key, "About")) == ({"updated": 1}, long)
    assert crm.text(PEOPLE, key) == "Said"
    preview = crm.rows(PEOPLE)[0]["About"]
    assert len(preview) < len(long)
    again = bench.run(records(PEOPLE, {"key": "k1", "about": preview, "title": "New"}), streams={PEOPLE: KEYED})
    assert (again.outcomes, crm.text(PEOPLE, key, "About")) == ({"updated": 1}, long)


def test_verify_reads_a_long_text_whole_and_not_its_preview(bench: Bench, crm: CoperaAccount) -> None:
    long = "A long text. " * 20
    streams = {PEOPLE: KEYED}
    rows = [{"key": f"k{at}", "about": f"{long}{at}", "description": f"{long}{at}"} for at in range(6)]
    given = records(PEOPLE, *rows)
    assert bench.run(given, streams=streams).outcomes == {"created": 6}
    assert all(len(row["About"]) < len(long) for row in crm.rows(PEOPLE))
    assert verified(bench, streams) == []
    key = crm.rows(PEOPLE)[2]["_id"]
    crm.set_text(PEOPLE, key, "About", f"{long}of theirs")
    assert [(field, present) for field, _, present in verified(bench, streams)] == [("about", f"{long}of theirs")]


def test_verify_tells_nothing_of_the_cells_of_a_record_whose_text_was_rejected(
    bench: Bench, crm: CoperaAccount
) -> None:
    streams = {PEOPLE: KEYED}
    bench.run(records(PEOPLE, {"key": "k1", "name": "Ann", "about": "Short"}), streams=streams)
    crm.fault = lambda question, _number: "before" if question.path.endswith("/md") else None
    done = bench.run(records(PEOPLE, {"key": "k1", "name": "Bea", "about": "Another"}), streams=streams)
    assert (done.outcomes, crm.rows(PEOPLE)[0]["Name"]) == ({"rejected": 1}, "Bea")
    assert verified(bench, streams) == []
    crm.fault = lambda _question, _number: None
    assert bench.run([], streams=streams).outcomes == {"updated": 1}
    assert verified(bench, streams) == []
    crm.change(PEOPLE, crm.rows(PEOPLE)[0]["_id"], Name="Cleo")
    assert [(field, present) for field, _, present in verified(bench, streams)] == [("name", "Cleo")]


def verified(bench: Bench, streams: dict[str, Any]) -> list[tuple[str | None, Any, Any]]:
    """Return what ``verify`` finds: the field, what was written and what is there."""
    target = bench.target(streams=streams)
    with closing(Journal(str(bench.journal), exclusive=False)) as journal:
        verification = Verification(target.make_writer())
        found = verification.differences(History(journal).written(), target.settings.stream)
        return [(one.field, one.written, one.present) for one in found]


@pytest.mark.parametrize("clearing", ["both", "null", "empty"])
@pytest.mark.parametrize("rejected", ["ignored", "refused"])
def test_a_null_empties_a_cell_whichever_way_the_crm_takes(
    bench: Bench,
    crm: CoperaAccount,
    clearing: Literal["both", "null", "empty"],
    rejected: Literal["ignored", "refused"],
) -> None:
    crm.app.behaviour.clearing, crm.app.behaviour.rejected_values = clearing, rejected
    streams = {DEALS: {**KEYED, "nulls": "clear"}}
    bench.run(records(DEALS, {"key": "k1", "name": "A", "amount": 5, "probability": 7}), streams=streams)
    done = bench.run(records(DEALS, {"key": "k1", "amount": None}), streams=streams)
    assert (done.code, done.outcomes) == (0, {"updated": 1}), done.lines
    assert (crm.rows(DEALS)[0]["Amount"], crm.rows(DEALS)[0]["Probability"]) == (None, 7)
    done = bench.run(records(DEALS, {"key": "k1", "name": None, "probability": None}), streams=streams)
    assert (done.code, done.outcomes) == (0, {"updated": 1}), done.lines
    row = crm.rows(DEALS)[0]
    assert [row.get(label) or None for label in ("Name", "Probability", "Our key")] == [None, None, "k1"]


def test_cells_that_an_update_does_not_name_are_kept_whatever_the_crm_does(bench: Bench, crm: CoperaAccount) -> None:
    bench.run(records(DEALS, {"key": "k1", "name": "A", "amount": 5, "probability": 7}), streams={DEALS: KEYED})
    crm.app.behaviour.unlisted_cells = "cleared"
    done = bench.run(records(DEALS, {"key": "k1", "amount": 6}), streams={DEALS: KEYED})
    row = crm.rows(DEALS)[0]
    assert (done.outcomes, row["Amount"], row["Probability"], row["Name"]) == ({"updated": 1}, 6, 7, "A")


def test_a_cell_of_zero_that_an_update_does_not_name_is_kept_too(bench: Bench, crm: CoperaAccount) -> None:
    bench.run(records(DEALS, {"key": "k1", "name": "A", "amount": 5, "probability": 0}), streams={DEALS: KEYED})
    crm.app.behaviour.unlisted_cells = "cleared"
    done = bench.run(records(DEALS, {"key": "k1", "amount": 6}), streams={DEALS: KEYED})
    row = crm.rows(DEALS)[0]
    assert (done.outcomes, row["Amount"], row["Probability"], row["Name"]) == ({"updated": 1}, 6, 0, "A")


@pytest.mark.parametrize("how", ["ignored", "refused"])
def test_a_list_is_emptied_by_null_where_an_empty_list_does_not(
    bench: Bench, crm: CoperaAccount, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    streams = {COMPANIES: {**KEYED, "nulls": "clear"}}
    label = crm.option(COMPANIES, "Labels")["label"]
    bench.run(records(COMPANIES, {"key": "k1", "name": "A", "labels": [label]}), streams=streams)
    ask = crm.ask

    def strict(question: Question, parse: Callable[[Reply], Any], ledger: Ledger) -> Any:  # noqa: ANN401
        cells = (question.body or {}).get("columns", [])
        left = [cell for cell in cells if cell["value"] != []]
        if question.method != "PATCH" or left == cells:
            return ask(question, parse, ledger)
        if how == "refused":
            raise errors.Refused("PATCH: 400")
        return ask(replace(question, body={"columns": left}), parse, ledger)

    monkeypatch.setattr(crm, "ask", strict)
    done = bench.run(records(COMPANIES, {"key": "k1", "name": "B", "labels": []}), streams=streams)
    assert (done.code, done.outcomes) == (0, {"updated": 1}), done.lines
    assert [(row["Name"], row.get("Labels") or None) for row in crm.rows(COMPANIES)] == [("B", None)]


@pytest.mark.parametrize("answer", ["nothing", "the id", "another form", "none"])
def test_cells_that_an_update_does_not_name_are_kept_whatever_it_answers(
    bench: Bench, crm: CoperaAccount, monkeypatch: pytest.MonkeyPatch, answer: str
) -> None:
    row = {"key": "k1", "name": "A", "amount": 5, "probability": 0}
    bench.run(records(DEALS, row), streams={DEALS: KEYED})
    crm.app.behaviour.unlisted_cells = "cleared"
    forms = {"nothing": b"", "the id": b'{"_id": "%s"}' % crm.rows(DEALS)[0]["_id"].encode(), "another form": b"{}"}
    _answer_updates(crm, monkeypatch, forms.get(answer))
    crm.fault = lambda question, _: "after" if answer == "none" and question.method == "PATCH" else None
    done = bench.run(records(DEALS, {"key": "k1", "amount": 6}), streams={DEALS: KEYED})
    assert (done.code, done.outcomes) == (0, {"updated": 1}), done.lines
    row = crm.rows(DEALS)[0]
    assert (row["Amount"], row["Probability"], row["Name"]) == (6, 0, "A")


@pytest.mark.parametrize(("lost", "outcome", "name"), [(1, "updated", "A"), (9, "rejected", None)])
def test_cells_that_an_update_has_emptied_are_told_where_they_cannot_be_written_back(
    bench: Bench, crm: CoperaAccount, lost: int, outcome: str, name: str | None
) -> None:
    bench.run(records(DEALS, {"key": "k1", "name": "A", "amount": 5}), streams={DEALS: KEYED})
    crm.app.behaviour.unlisted_cells = "cleared"
    crm.fault = lambda _, number: "before" if 2 < number <= 2 + lost else None
    done = bench.run(records(DEALS, {"key": "k1", "amount": 6}), streams={DEALS: KEYED})
    assert (done.outcomes, crm.rows(DEALS)[0]["Name"] or None) == ({outcome: 1}, name)
    assert name is not None or "`name`" in done.lines[0]["reason"]


def test_where_an_update_empties_what_it_does_not_name_the_next_ones_name_all(bench: Bench, crm: CoperaAccount) -> None:
    given = [{"key": f"k{at}", "name": "A", "amount": at} for at in range(1, 9)]
    bench.run(records(DEALS, *given), streams={DEALS: KEYED})
    crm.app.behaviour.unlisted_cells = "cleared"
    bench.run(records(DEALS, given[0] | {"amount": 50}), streams={DEALS: KEYED})
    told = [records(DEALS, one | {"amount": 100}) for one in given]
    before = len(crm.bodies)
    ends = bench.run([message for part in told for message in part], streams={DEALS: KEYED})
    assert (ends.outcomes, {row["Name"] for row in crm.rows(DEALS)}) == ({"updated": 8}, {"A"})
    assert len(crm.bodies) - before < 2 * len(given), "most need no second update"


def _answer_updates(crm: CoperaAccount, monkeypatch: pytest.MonkeyPatch, body: bytes | None) -> None:
    """Let updates be answered so; None: as the sandbox answers."""
    ask = crm.ask

    def otherwise(question: Question, parse: Callable[[Reply], Any], ledger: Ledger) -> Any:  # noqa: ANN401
        if body is None or question.method != "PATCH":
            return ask(question, parse, ledger)
        return ask(question, lambda reply: parse(replace(reply, body=body)), ledger)

    monkeypatch.setattr(crm, "ask", otherwise)


def test_a_cell_whose_option_was_deleted_is_emptied_where_that_is_asked_for(bench: Bench, crm: CoperaAccount) -> None:
    option = crm.option(DEALS, "Stage")
    bench.run(records(DEALS, {"key": "k1", "name": "A", "stage": option["label"]}), streams={DEALS: KEYED})
    order = {"table": "Deals", "column": "Stage", "option": option["label"]}
    crm.app.account.change("delete_option", order)
    assert crm.rows(DEALS)[0]["Stage"] is not None
    streams = {DEALS: {**KEYED, "nulls": "clear"}}
    done = bench.run(records(DEALS, {"key": "k1", "stage": None}), streams=streams)
    assert (done.outcomes, crm.rows(DEALS)[0]["Stage"]) == ({"updated": 1}, None)


def test_what_only_the_crm_sets_is_dropped_from_the_taps_schema_and_refused_else(
    bench: Bench, crm: CoperaAccount
) -> None:
    row = {"key": "k1", "name": "A", "summary": "computed"}
    refused = bench.run(records(DEALS, row), streams={DEALS: KEYED})
    assert "`summary`: the CRM does not let one write it" in refused.lines[0]["reason"]
    declared = schema(DEALS, "key", "name")
    column = crm.column(DEALS, "Summary")
    declared["schema"]["properties"]["summary"] = {"description": f"Column {column}, type FORMULA."}
    done = bench.run([declared, {"type": "RECORD", "stream": DEALS, "record": row}], streams={DEALS: KEYED})
    assert (done.code, done.outcomes) == (0, {"created": 1})


def test_a_password_is_written_once_and_never_compared_or_shown(bench: Bench, crm: CoperaAccount) -> None:
    row = {"key": "k1", "name": "A", "password": "s3cret!"}
    first = bench.run(records(EVERYTHING, row), streams={EVERYTHING: KEYED})
    again = bench.run(records(EVERYTHING, row), streams={EVERYTHING: KEYED})
    assert (first.outcomes, again.outcomes) == ({"created": 1}, {"unchanged": 1})
    assert any(cell["value"] == "s3cret!" for body in crm.bodies for cell in body["columns"])
    assert "s3cret!" not in bench.report.read_text("utf-8")


def test_comments_are_made_once(bench: Bench, crm: CoperaAccount) -> None:
    bench.run(records(PEOPLE, {"key": "k1", "name": "Ann"}), streams={PEOPLE: KEYED})
    row = crm.rows(PEOPLE)[0]
    comment = {"_id": "c1", "row": row["_id"], "board": row["board"], "table": row["table"], "content": "<p>Hi</p>"}
    crm.fault = lambda _, number: "after" if number == 2 else None
    done = bench.run(records("row_comments", comment), streams={"row_comments": {}})
    assert (done.code, done.outcomes) == (0, {"created": 1}), done.lines
    again = bench.run(records("row_comments", comment), streams={"row_comments": {}})
    assert (again.code, again.outcomes) == (0, {"unchanged": 1}), again.lines
    assert len(crm.client.json(f"{crm.path(PEOPLE)}/row/{row['_id']}/comments")["items"]) == 1


@pytest.mark.parametrize(("lost", "effect"), [(2, "after"), (3, "before"), (4, "after")])
def test_equal_comments_are_as_many_as_came(bench: Bench, crm: CoperaAccount, lost: int, effect: str) -> None:
    bench.run(records(PEOPLE, {"key": "k1", "name": "Ann"}), streams={PEOPLE: KEYED})
    row = crm.rows(PEOPLE)[0]
    place = {"row": row["_id"], "board": row["board"], "table": row["table"], "content": "<p>Called</p>"}
    given = records("row_comments", *({"_id": f"c{at}", **place} for at in range(3)))
    crm.fault = lambda _, number: effect if 2 <= number <= lost else None
    done = bench.run(given, streams={"row_comments": {}})
    assert (done.code, done.outcomes) == (0, {"created": 3}), done.lines
    assert len({line["crm_id"] for line in done.lines}) == 3
    assert bench.run(given, streams={"row_comments": {}}).outcomes == {"unchanged": 3}
    assert len(crm.client.json(f"{crm.path(PEOPLE)}/row/{row['_id']}/comments")["items"]) == 3


def test_a_key_of_rows_in_two_tables_is_told_apart_by_where_the_column_leads(bench: Bench, crm: CoperaAccount) -> None:
    streams = {PEOPLE: KEYED, COMPANIES: KEYED, DEALS: KEYED}
    bench.run([*records(COMPANIES, {"key": "1", "name": "Acme"}, {"key": "2", "name": "Other"})], streams=streams)
    bench.run(records(DEALS, {"key": "1", "name": "Deal"}), streams=streams)
    refused = bench.run(records(PEOPLE, {"key": "p1", "name": "Ann", "company": ["1"]}), streams=streams)
    assert "`1` is the key of 2 records" in refused.lines[0]["reason"]
    companies = {row["Name"]: row["_id"] for row in crm.rows(COMPANIES)}
    crm.add(PEOPLE, Name="Bob", Company=[companies["Other"]])
    done = bench.run(records(PEOPLE, {"key": "p1", "name": "Ann", "company": ["1"]}), streams=streams)
    assert done.outcomes == {"created": 1}, done.lines
    assert crm.rows(PEOPLE)[1]["Company"] == [companies["Acme"]]


def test_a_table_is_named_by_board_and_table_too(bench: Bench, crm: CoperaAccount) -> None:
    streams = {"staff": {**KEYED, "object": {"board": "Sales", "table": "People"}}}
    assert bench.run(records("staff", {"key": "k1", "name": "Ann"}), streams=streams).outcomes == {"created": 1}
    assert [row["Name"] for row in crm.rows(PEOPLE)] == ["Ann"]


def test_a_table_that_is_not_there_is_named_before_anything_is_written(bench: Bench, crm: CoperaAccount) -> None:
    done = bench.run(records("sales__peeple", {"key": "k1"}), streams={"*": KEYED})
    assert (done.code, crm.writes) == (1, [])
    assert "did you mean `sales__people`?" in done.said


@pytest.mark.parametrize("stream", ["members", "documents", "rich_text_cells", "row_descriptions", "bookings"])
def test_a_stream_that_is_no_table_is_refused_by_name_before_any_request(
    bench: Bench, crm: CoperaAccount, stream: str
) -> None:
    try:
        said = bench.run([schema(stream, "_id")]).said
    except ConfigError as error:
        said = str(error)
    assert f"`{stream}` cannot be written" in said
    assert crm.asked == []


def test_a_conflict_is_tried_again_and_then_rejected(
    bench: Bench, crm: CoperaAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("target_crm.writers.copera.requests.CONFLICT_WAITS", (0.0, 0.0))
    crm.app.behaviour.faults.append(FaultRule(["409"], every=1, only="writes"))
    done = bench.run(records(PEOPLE, {"key": "k1", "name": "Ann"}), streams={PEOPLE: KEYED})
    assert (done.code, done.outcomes, len(crm.writes)) == (1, {"rejected": 1}, 3)


@pytest.mark.parametrize(("method", "path", "seconds"), [("POST", "row", 2.0), ("GET", "rows", 1.2)])
def test_rows_are_made_at_the_documented_pace_of_30_a_minute(method: str, path: str, seconds: float) -> None:
    now = [0.0]

    def sleep(wait: float) -> None:
        now[0] += wait

    provider = PROVIDERS["copera"]
    pacing = Pacing(50, provider.group_of, rates=provider.rates, clock=lambda: now[0], sleep=sleep)
    for _ in range(61):
        pacing.wait(method, f"/board/{'a' * 24}/table/{'b' * 24}/{path}")
    assert now[0] >= 60 * seconds * 0.9


def test_two_members_of_one_name_are_both_kept() -> None:
    kind = Members("member", lambda: [Choice("a", ("Ann",)), Choice("b", ("Ann",))], whole_ids=False)
    wanted = kind.accept(["Ann", "Ann"])
    assert kind.holds(("a", "b"), wanted)
    assert kind.merge(("a", "b"), wanted, union=False, clear=False) == ("a", "b")


def test_cells_that_an_answer_does_not_name_are_not_written_back(
    bench: Bench, crm: CoperaAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = crm.add(PEOPLE, Name="Ann", Title="Old")["_id"]
    ask = crm.ask

    def short(question: Question, parse: Callable[[Reply], Any], ledger: Ledger) -> Any:  # noqa: ANN401
        if question.method != "PATCH":
            return ask(question, parse, ledger)
        body = json.dumps({"_id": made, "columns": list((question.body or {})["columns"])}).encode()
        return ask(question, lambda reply: parse(replace(reply, body=body)), ledger)

    monkeypatch.setattr(crm, "ask", short)
    done = bench.run(records(PEOPLE, {"_id": made, "title": "New"}))
    assert (done.outcomes, [len(body["columns"]) for body in crm.bodies]) == ({"updated": 1}, [1])
