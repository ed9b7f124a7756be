"""What counts as not there is made, or counts as deleted: one answer that may be somebody else's is not enough."""

# ruff: noqa: D103  (the name of a test is its sentence)
from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tap_crm import errors
from tests.target_crm.copera_account import PEOPLE, copera_account
from tests.target_crm.copper_double import CopperDouble
from tests.target_crm.crms import CRMS, Account
from tests.target_crm.doors import Door
from tests.target_crm.running import Bench, records

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tap_crm.transport.question import Question

DELETED = "2026-11-01T00:00:00Z"


@pytest.fixture(params=CRMS)
def account(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Account]:
    """An account of a CRM."""
    with CRMS[request.param]() as crm:
        yield Account(crm, tmp_path)


def once(
    method: str, refusal: errors.FinalWord, key: str
) -> tuple[Callable[[Question], errors.FinalWord | None], list[str]]:
    """Return what refuses the first question of a method about a record, and the paths of these questions."""
    asked: list[str] = []

    def refuses(question: Question) -> errors.FinalWord | None:
        if question.method != method or not question.path.rstrip("/").endswith(f"/{key}"):
            return None
        asked.append(question.path)
        return refusal if len(asked) == 1 else None

    return refuses, asked


@pytest.mark.parametrize("said", ["", "Not found"])
def test_a_404_that_comes_once_makes_no_second_record(account: Account, said: str) -> None:
    crm = account.crm
    there = crm.put("k1", "A")
    (held,) = crm.transport.rows(crm.stream)
    key = {"_id" if "_id" in held else "id": there}
    crm.transport.lag = 1e12  # where a search is asked first, it does not have it
    account.door.refuses, asked = once("GET", errors.NotThere("404", said=said), there)
    done = account.bench.run(records(crm.stream, {**key, "name": "Name k1", crm.text: "B"}))
    assert (done.outcomes, crm.texts()) == ({"updated": 1}, {"Name k1": "B"})
    assert len(asked) > 1, "it was asked for again"


def test_a_404_to_a_deletion_counts_once_the_record_is_gone(account: Account) -> None:
    crm = account.crm
    there = crm.put("k1", "A")
    account.door.refuses, asked = once("DELETE", errors.NotThere("404", said="Not found"), there)
    streams = {crm.stream: {**account.keyed, "on_delete": "delete"}}
    done = account.bench.run(records(crm.stream, account.row(1, _sdc_deleted_at=DELETED)), streams=streams)
    assert (done.outcomes, crm.names().total(), len(asked)) == ({"deleted": 1}, 0, 2)


def test_a_row_that_copera_refuses_to_look_for_is_not_made_anew(tmp_path: Path) -> None:
    with copera_account() as account:
        made = account.add(PEOPLE, Name="Ann")["_id"]
        door = Door(account)
        door.refuses = lambda question: (
            errors.Refused("400", said="Bad request") if question.path.endswith(f"/row/{made}") else None
        )
        done = Bench(tmp_path, door, account.credentials).run(records(PEOPLE, {"_id": made, "name": "B"}))
        assert (done.code, done.outcomes) == (1, {"rejected": 1})
        assert done.lines[0]["reason"] == "the CRM refuses to look for it: Bad request"
        assert [row["Name"] for row in account.rows(PEOPLE)] == ["Ann"]


@pytest.mark.parametrize("more", [{}, {"_sdc_deleted_at": DELETED}])
def test_a_record_that_was_merged_into_another_one_does_not_lead_to_that_one(
    tmp_path: Path, more: dict[str, str]
) -> None:
    crm = CopperDouble()
    bench = Bench(tmp_path, crm)
    streams = {"people": {"match": ["key"], "external_id": "custom_our_key", "on_delete": "delete"}}
    rows = [{"key": key, "name": key, "title": "A"} for key in ("k1", "k2")]
    bench.run(records("people", *rows), streams=streams)
    gone, kept = crm.rows("people")
    crm.tables["people"][gone["id"]] = kept  # what is asked for by the old id is answered with the other record
    done = bench.run(records("people", {**rows[0], "title": "B", **more}), streams=streams)
    assert done.outcomes == ({"deleted": 1} if more else {"rejected": 1})
    assert (kept["title"], crm.tables["people"][kept["id"]]) == ("A", kept)
