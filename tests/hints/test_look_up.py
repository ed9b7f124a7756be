"""A record is believed to be deleted where the CRM itself says so twice; whatever else it answers proves nothing."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from tap_crm import errors
from tap_crm.contract.stream import ById, Elsewhere, Reading, StreamSpec
from tap_crm.ledger import Ledger
from tap_crm.messages import Page
from tap_crm.providers.common.not_found import says_not_found
from tap_crm.shaping.schema import DELETED_AT
from tap_crm.sync.look_up import LookUp

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tap_crm.contract.hints import Key
    from tap_crm.messages import Item

NOW = 1_790_000_000
GONE = errors.NotThere("404", said="Resource not found")


@dataclass
class Account:
    """What a CRM answers: of each key the answers in turn, the last one again and again."""

    answers: dict[int, list[Any]]
    together: bool | None = None
    asked: list[Any] = field(default_factory=list)
    content: dict[int, dict[str, Any] | None] | None = None
    elsewhere: Elsewhere | Exception | None = None
    knows_elsewhere: bool = True

    def one(self, _: Reading, key: Key) -> Page:
        """Answer for one record."""
        self.asked.append(key)
        turns = self.answers[int(key)]
        answer = turns.pop(0) if len(turns) > 1 else turns[0]
        if isinstance(answer, Exception):
            raise answer
        return Page(records=[answer])

    def some(self, _: Reading, keys: Sequence[Key]) -> Page | None:
        """Answer for some, with those that are there."""
        self.asked.append(list(keys))
        found = [self.answers[int(key)][0] for key in keys]
        return Page(records=[one for one in found if isinstance(one, dict)]) if self.together else None

    def moved(self, _: Reading, keys: Sequence[Key]) -> Elsewhere | None:
        """Answer for some that were denied."""
        self.asked.append({"elsewhere": list(keys)})
        if isinstance(self.elsewhere, Exception):
            raise self.elsewhere
        return self.elsewhere if self.knows_elsewhere else None

    @property
    def by_id(self) -> ById:
        """How it is asked."""
        last = None if self.content is None else lambda _body, key: (self.content or {}).get(int(key))
        some = None if self.together is None else self.some
        elsewhere = None if self.elsewhere is None else self.moved
        return ById(self.one, says_not_found, some, at_once=2, elsewhere=elsewhere, last_content=last)


@dataclass
class Look:
    """One look, and what came of it."""

    found: LookUp
    records: list[dict[str, Any]]
    ledger: Ledger


def look(account: Account, keys: dict[Key, int], *, start: int | None = None, marks: bool = True) -> Look:
    """Look at records."""
    items: list[Item] = []
    spec = StreamSpec("things", ("id",), cast("Any", None), replication_key="at", changed="at", by_id=account.by_id)
    reading = Reading(
        spec=spec,
        transport=cast("Any", SimpleNamespace(clock=SimpleNamespace(now=lambda: NOW))),
        settings=cast("Any", SimpleNamespace(start_date=start)),
        since=None,
        emit=items.append,
        ledger=Ledger(hints=0, hinted_rows=0),
        lanes=1,
        once_per_run=cast("Any", None),
        fields=frozenset({"id", "at", *([DELETED_AT] if marks else [])}),
    )
    looked = LookUp(reading, account.by_id, lambda _: b"event")
    looked.read(keys)
    looked.conclude()
    records = [record for item in items if isinstance(item, Page) for record in item.decoded()]
    return Look(looked, records, reading.ledger)


def test_twice_denied_is_deleted() -> None:
    """The second question comes after all others; the row says when."""
    account = Account({1: [GONE], 2: [{"id": 2}]})
    seen = look(account, {1: 5, 2: 0})
    assert account.asked == [1, 2, 1]
    assert seen.records == [{"id": 2}, {"id": 1, DELETED_AT: "2026-09-21T14:13:20Z"}]
    assert (seen.found.gone, seen.found.again) == ([1], [])
    assert (seen.ledger.deletions, seen.ledger.hinted_rows) == (1, 2)


def test_what_is_denied_and_is_elsewhere_is_not_deleted() -> None:
    """As a converted lead of Copper is."""
    told = Elsewhere(Page(records=[{"id": 2, "to": "a person"}]), frozenset({3}))
    account = Account({key: [GONE] for key in (1, 2, 3)}, elsewhere=told)
    seen = look(account, {1: 5, 2: 6, 3: 7})
    assert account.asked == [1, 2, 3, {"elsewhere": [1, 2]}, {"elsewhere": [3]}, 1]
    assert seen.records == [{"id": 2, "to": "a person"}, {"id": 1, DELETED_AT: "2026-09-21T14:13:20Z"}]
    assert (seen.found.gone, seen.found.again, seen.found.elsewhere) == ([1], [3], [2])


@pytest.mark.parametrize(
    "answer",
    [errors.GaveUp("503"), errors.Refused("422"), Elsewhere(Page(records=[]))],
    ids=["none", "refused", "ids not heeded"],
)
def test_what_is_denied_and_may_be_elsewhere_is_asked_for_again(answer: Any) -> None:  # noqa: ANN401 - or an error
    """Nobody could tell."""
    account = Account({1: [GONE]}, elsewhere=answer, knows_elsewhere=False)
    seen = look(account, {1: 5})
    assert (seen.records, seen.found.gone, seen.found.again) == ([], [], [1])
    assert seen.ledger.notes


def test_once_denied_is_nothing() -> None:
    """The record is there at the second look."""
    seen = look(Account({1: [GONE, {"id": 1}]}), {1: 5})
    assert (seen.records, seen.found.gone, seen.found.again) == ([{"id": 1}], [], [])


@pytest.mark.parametrize("said", ["", "no route matched", "Bad gateway"])
def test_a_404_of_somebody_else_proves_nothing(said: str) -> None:
    """It is asked for again by the next run; that is said."""
    seen = look(Account({1: [errors.NotThere("404", said=said)]}), {1: 5})
    assert (seen.records, seen.found.gone, seen.found.again) == ([], [], [1])
    assert any("404" in note for note in seen.ledger.notes)


def test_the_second_404_has_to_be_the_crms_own_too() -> None:
    """Two answers have to say it."""
    seen = look(Account({1: [GONE, errors.NotThere("404", said="")]}), {1: 5})
    assert (seen.records, seen.found.gone, seen.found.again) == ([], [], [1])


def test_what_may_not_be_read_is_named_and_no_error() -> None:
    """Nor is what the CRM refuses to look for; neither is asked for again."""
    seen = look(Account({1: [errors.Forbidden("403")], 2: [errors.Refused("422")]}), {1: 0, 2: 0})
    assert (seen.records, seen.found.gone, seen.found.again) == ([], [], [])
    assert len(seen.ledger.notes) == 2


def test_what_nobody_answered_is_left_to_the_next_run() -> None:
    """With all that would have come after it; what was denied has its second question all the same."""
    account = Account({1: [GONE], 2: [errors.GaveUp("500")], 3: [{"id": 3}]})
    seen = look(account, {1: 5, 2: 5, 3: 5})
    assert (seen.found.gone, seen.found.again) == ([1], [3, 2])
    assert account.asked == [1, 2, 1]


def test_one_that_is_never_answered_does_not_keep_the_others_waiting_for_ever() -> None:
    """It is the last one that the next run asks for."""
    account = Account({1: [errors.GaveUp("500")], 2: [{"id": 2}], 3: [GONE]})
    first = look(account, {1: 0, 2: 0, 3: 5})
    assert (first.records, first.found.gone, first.found.again) == ([], [], [2, 3, 1])
    second = look(account, dict.fromkeys(first.found.again, 0))
    assert second.records == [{"id": 2}, {"id": 3, DELETED_AT: "2026-09-21T14:13:20Z"}]
    assert (second.found.gone, second.found.again) == ([3], [1])


@pytest.mark.parametrize("together", [None, True])
def test_an_answer_that_is_of_no_use_costs_that_record_only(together: bool | None) -> None:
    """As where the CRM redirects to the record that it was merged into: an event makes no stream fail."""
    account = Account({1: [errors.ReadError("redirected (301)")], 2: [{"id": 2}], 3: [GONE]}, together=together)
    seen = look(account, {1: 0, 2: 0, 3: 5})
    assert {record["id"] for record in seen.records} == {2, 3}
    assert (seen.found.gone, seen.found.again) == ([3], [1])
    assert any("asked for again" in note for note in seen.ledger.notes)


def test_a_refused_key_ends_the_run_here_too() -> None:
    """Nothing more can be read with it."""
    with pytest.raises(errors.CredentialsRefused):
        look(Account({1: [errors.CredentialsRefused("401")]}), {1: 0})


def test_what_a_search_lacks_is_asked_for_by_itself() -> None:
    """What is said to be deleted is never looked for there: it may show it still."""
    account = Account({1: [{"id": 1}], 2: [GONE], 3: [{"id": 3}], 4: [{"id": 4}]}, together=True)
    seen = look(account, {1: 0, 2: 0, 3: 0, 4: 9})
    assert account.asked == [[1, 2], [3], 2, 4, 2]
    assert seen.found.gone == [2]
    assert [record["id"] for record in seen.records] == [1, 3, 4, 2]


def test_a_search_that_heeds_no_ids_is_not_used() -> None:
    """Each record is asked for by itself then."""
    account = Account({1: [{"id": 1}], 2: [{"id": 2}], 3: [{"id": 3}]}, together=False)
    seen = look(account, {1: 0, 2: 0, 3: 0})
    assert account.asked == [[1, 2], 1, 2, 3]
    assert len(seen.records) == 3


def test_another_record_in_its_place_is_not_taken() -> None:
    """As where a CRM answers with the one that it was merged into."""
    seen = look(Account({1: [{"id": 2}]}), {1: 0})
    assert (seen.records, seen.found.gone, seen.found.again) == ([], [], [])


def test_what_a_complete_read_would_not_have_is_left_out() -> None:
    """It would count as deleted by the next one."""
    account = Account({1: [{"id": 1, "at": NOW - 100}], 2: [{"id": 2, "at": NOW}]})
    seen = look(account, {1: 0, 2: 0}, start=NOW - 10)
    assert seen.records == [{"id": 2, "at": NOW}]


def test_a_deletion_without_the_record_is_not_written_where_others_have_it() -> None:
    """Nulls would replace what was loaded."""
    account = Account({1: [GONE], 2: [GONE]}, content={1: None, 2: {"id": 2, "name": "Ada", DELETED_AT: "2026"}})
    seen = look(account, {1: 5, 2: 5})
    assert seen.records == [{"id": 2, "name": "Ada", DELETED_AT: "2026"}]
    assert any("without the record" in note for note in seen.ledger.notes)


def test_a_deletion_that_no_column_would_say_is_not_written() -> None:
    """A catalog of an earlier version has no such column: the row would look alive, and empty."""
    seen = look(Account({1: [GONE]}), {1: 5}, marks=False)
    assert seen.records == []
    assert any("catalog" in note for note in seen.ledger.notes)
