"""Two streams that are written to one object: what both have is made once."""

# ruff: noqa: D103  (the name of a test is its sentence)
from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.target_crm.close_account import close_account
from tests.target_crm.copera_account import PEOPLE, copera_account
from tests.target_crm.crms import CRMS, Account, CloseCrm
from tests.target_crm.running import Bench, records

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.target_crm.copper_double import CopperDouble

#: So many keys that Copera's table is read whole, once a run.
MANY = 22


@pytest.fixture(params=CRMS)
def account(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Account]:
    """An account of a CRM."""
    with CRMS[request.param]() as crm:
        yield Account(crm, tmp_path)


def _streams(account: Account, one: str = "shop", other: str = "support") -> dict[str, Any]:
    return {name: {"object": account.crm.stream, **account.keyed} for name in (one, other)}


def test_what_two_streams_have_is_made_once(account: Account) -> None:
    given = [
        *records("shop", *(account.row(at) for at in range(MANY))),
        *records("support", *(account.row(at, "B") for at in range(MANY - 2, 2 * MANY))),
    ]
    done = account.bench.run(given, streams=_streams(account))
    assert (done.code, done.outcomes) == (0, {"created": 2 * MANY, "updated": 2}), done.said
    assert account.crm.names() == {f"Name k{at}": 1 for at in range(2 * MANY)}
    assert account.crm.texts() == {f"Name k{at}": "A" if at < MANY - 2 else "B" for at in range(2 * MANY)}


def test_a_stream_under_another_name_makes_nothing_twice_though_a_search_lags(bench: Bench, crm: CopperDouble) -> None:
    crm.lag = 3600.0
    rows = [{"key": f"k{at}", "name": f"Name k{at}"} for at in range(5)]
    keyed = {"object": "people", "match": ["key"], "external_id": "custom_our_key"}
    for name, outcome in (("people", "created"), ("public-people", "unchanged")):
        done = bench.run(records(name, *rows), streams={name: keyed})
        assert (done.code, done.outcomes) == (0, {outcome: 5}), done.said
    assert len(crm.rows("people")) == 5


def test_a_lead_of_two_streams_is_made_once_though_searches_lag(tmp_path: Path) -> None:
    with close_account(index_lag=3600.0) as transport:
        account = Account(CloseCrm(transport), tmp_path)
        given = [*records("shop", account.row(1)), *records("support", account.row(1, "B"))]
        streams = {name: {"object": "leads", **account.keyed} for name in ("shop", "support")}
        done = account.bench.run(given, streams=streams)
        assert (done.code, done.outcomes) == (0, {"created": 1, "updated": 1}), done.said
        assert len(list(transport.app.account.records("leads"))) == 1


def test_an_address_that_two_streams_spell_differently_is_one_contact(tmp_path: Path) -> None:
    with close_account(index_lag=3600.0) as account:
        lead = account.add("leads", name="Acme")["id"]
        given = [
            *records("shop", {"email": "Ann@Example.com", "lead_id": lead, "name": "Ann"}),
            *records("support", {"email": "ann@example.com", "lead_id": lead, "name": "Anne"}),
        ]
        keyed = {"object": "contacts", "match": ["email"], "fields": {"email": "emails"}}
        bench = Bench(tmp_path, account, account.credentials)
        done = bench.run(given, streams={"shop": keyed, "support": keyed})
        assert (done.code, done.outcomes) == (0, {"created": 1, "updated": 1}), done.said
        assert [one["name"] for one in account.app.account.records("contacts")] == ["Anne"]


def test_a_key_that_is_another_records_in_another_stream_makes_its_own(bench: Bench, crm: CopperDouble) -> None:
    given = [
        *records("shop", {"no": "7", "name": "Ann"}),
        *records("support", {"email": "bob@example.com", "no": "7", "name": "Bob", "title": "7"}),
    ]
    streams = {
        "shop": {"object": "people", "match": ["no"], "external_id": "custom_our_key"},
        "support": {"object": "people", "match": ["no"], "external_id": "title", "fields": {"email": "emails"}},
    }
    done = bench.run(given, streams=streams)
    assert (done.code, done.outcomes) == (0, {"created": 2}), done.said
    assert sorted(row["name"] for row in crm.rows("people")) == ["Ann", "Bob"]


def test_a_table_that_is_named_in_two_ways_is_one_object(tmp_path: Path) -> None:
    with copera_account() as account:
        rows = [{"key": f"k{at}", "name": f"Ann {at}"} for at in range(MANY)]
        keyed = {"match": ["key"], "external_id": "our_key"}
        streams = {PEOPLE: keyed, "staff": {"object": {"board": "Sales", "table": "People"}, **keyed}}
        bench = Bench(tmp_path, account, account.credentials)
        given = [*records(PEOPLE, *rows), *records("staff", *rows)]
        done = bench.run(given, streams=streams)
        assert (done.code, done.outcomes) == (0, {"created": MANY, "unchanged": MANY}), done.said
        assert len(account.rows(PEOPLE)) == MANY
