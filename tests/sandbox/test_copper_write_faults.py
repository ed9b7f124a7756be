"""Writes that break before or after they are carried out, and people who edit meanwhile."""

# ruff: noqa: D103  (the name of a test is its sentence)
from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import requests

from sandbox.behaviour import Meanwhile
from sandbox.faults import FaultRule

if TYPE_CHECKING:
    from sandbox.client import Client
    from sandbox.copper import CopperSandbox
    from sandbox.exchange import Effect
    from sandbox.faults import Kind

_BROKEN = (requests.ConnectionError, requests.exceptions.ChunkedEncodingError)


def _break(app: CopperSandbox, kind: Kind, effect: Effect | None = None, **rule: Any) -> None:  # noqa: ANN401
    app.behaviour.faults = [FaultRule([kind], at=[1], only="writes", effect=effect or "", seconds=0.1, **rule)]


def _people(app: CopperSandbox) -> int:
    return len(app.account.ids("people"))


@pytest.mark.parametrize("effect", ["none", "whole"])
@pytest.mark.parametrize("kind", ["502", "429", "drop", "stall"])
def test_an_error_leaves_open_whether_the_record_was_made(
    client: Client, app: CopperSandbox, kind: Kind, effect: Effect
) -> None:
    before = _people(app)
    _break(app, kind, effect)
    if kind in ("drop", "stall"):
        with pytest.raises(_BROKEN):
            client.post("people", {"name": "x"})
    else:
        assert client.post("people", {"name": "x"}).status_code == int(kind)
    assert _people(app) - before == (effect == "whole")
    assert client.post("people", {"name": "x"}).status_code == 200
    assert app.stats.writes == {"POST people": 2}


@pytest.mark.parametrize("kind", ["500", "502", "503", "504", "429", "drop", "stall"])
def test_such_an_error_comes_before_the_write_unless_the_rule_says_so(
    client: Client, app: CopperSandbox, kind: Kind
) -> None:
    before = _people(app)
    _break(app, kind)
    if kind in ("drop", "stall"):
        with pytest.raises(_BROKEN):
            client.post("people", {"name": "x"})
    else:
        client.post("people", {"name": "x"})
    assert _people(app) == before


@pytest.mark.parametrize("kind", ["cut_json", "cut_connection", "broken_json", "null", "empty", "html", "slow_headers"])
def test_an_answer_that_is_cut_belongs_to_a_write_that_happened(client: Client, app: CopperSandbox, kind: Kind) -> None:
    before = _people(app)
    _break(app, kind)
    if kind == "cut_connection":
        with pytest.raises(_BROKEN):
            client.post("people", {"name": "x"})
    else:
        client.post("people", {"name": "x"})
    assert _people(app) == before + 1


@pytest.mark.parametrize("verb", ["post", "put", "delete"])
def test_a_write_may_be_answered_and_have_no_effect(client: Client, app: CopperSandbox, verb: str) -> None:
    number = app.account.ids("people")[0]
    before = app.account.records("people")
    _break(app, "intact", "none")
    answers = {
        "post": lambda: client.post("people", {"name": "x", "company_name": "Brand new"}),
        "put": lambda: client.put(f"people/{number}", {"title": "x"}),
        "delete": lambda: client.delete(f"people/{number}"),
    }
    answer = answers[verb]()
    assert (answer.status_code, type(answer.json()["id"])) == (200, int)
    assert app.account.records("people") == before


@pytest.mark.parametrize("kind", ["intact", "504", "stall"])
def test_a_bulk_request_may_be_carried_out_by_half(client: Client, app: CopperSandbox, kind: Kind) -> None:
    before = _people(app)
    _break(app, kind, "half", path="bulk_create")
    body = {"people": [{"name": f"n{n}", "emails": [{"email": f"n{n}@x.example"}]} for n in range(5)]}
    if kind == "stall":
        with pytest.raises(_BROKEN):
            client.post("people/bulk_create", body)
    else:
        client.post("people/bulk_create", body)
    assert _people(app) == before + 2
    found = [client.post("people/fetch_by_email", {"email": f"n{n}@x.example"}).status_code for n in range(5)]
    assert found == [200, 200, 404, 404, 404]


def test_every_second_write_breaks_after_it_was_carried_out_while_reads_go_on(
    client: Client, app: CopperSandbox
) -> None:
    knob = {"faults": [{"kinds": ["502"], "every": 2, "only": "writes", "effect": "whole", "path": "people"}]}
    client.control("configure", knob)
    before = _people(app)
    statuses = []
    for _ in range(4):
        statuses.append(client.post("people", {"name": "x"}).status_code)
        assert client.search("people")
    assert statuses == [200, 502, 200, 502]
    assert _people(app) == before + 4
    assert client.control("stats")["writes"] == {"POST people": 4}


@pytest.mark.parametrize("when", ["before", "after"])
def test_somebody_edits_the_record_right_before_or_right_after_it_is_written(
    client: Client,
    app: CopperSandbox,
    when: Any,  # noqa: ANN401
) -> None:
    number = app.account.ids("people")[0]
    app.behaviour.meanwhile = Meanwhile(every=1, when=when, changes={"title": "theirs", "details": "theirs"})
    answer = client.put(f"people/{number}", {"title": "ours"}).json()
    assert (answer["title"], answer["details"] == "theirs") == ("ours", when == "before")
    held = app.account.record("people", int(number))
    assert (held["title"], held["details"]) == ("ours" if when == "before" else "theirs", "theirs")


def test_somebody_deletes_the_record_before_it_is_written(client: Client, app: CopperSandbox) -> None:
    number = app.account.ids("people")[0]
    app.behaviour.meanwhile = Meanwhile(every=1, delete=True, objects=["people"])
    assert client.put(f"people/{number}", {"title": "ours"}).status_code == 404


def test_somebody_edits_what_was_just_made(client: Client, app: CopperSandbox) -> None:
    app.behaviour.meanwhile = Meanwhile(every=1, when="after", changes={"title": "theirs"}, times=1)
    made = client.post("people/bulk_create", {"people": [{"name": "a"}, {"name": "b"}]}).json()
    assert [app.account.record("people", one["id"])["title"] for one in made] == ["theirs", None]


def test_reads_are_no_writes(client: Client, app: CopperSandbox) -> None:
    number = app.account.ids("people")[0]
    client.search("people")
    client.post(f"people/{number}/activities", {})
    client.post("people/fetch_by_email", {"email": "nobody@x.example"})
    client.get("account")
    assert app.stats.writes == {}
    client.put(f"people/{number}", {})
    assert app.stats.writes == {"PUT people/{id}": 1}
