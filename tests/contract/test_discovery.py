"""Discovery offers what the key may read, and says in one line what is wrong with a config."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tap_crm.contract.signals import REFUSED
from tests.contract.crms import CRMS
from tests.singer import only, selecting

if TYPE_CHECKING:
    from tests.contract.conftest import CatalogOf, Start
    from tests.contract.crm import Crm, Knobs

LEFT_OUT = [
    pytest.param(crm, *case, id=f"{crm.name}: {name}") for crm in CRMS.values() for name, case in crm.left_out.items()
]

#: The first case of each CRM.
ONE_LEFT_OUT = [pytest.param(crm, *next(iter(crm.left_out.values())), id=crm.name) for crm in CRMS.values()]


def entries(catalog: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the catalog's entries by stream."""
    return {entry["tap_stream_id"]: entry for entry in catalog["streams"]}


def root(entry: dict[str, Any]) -> dict[str, Any]:
    """Return the metadata of the stream itself."""
    return next(item["metadata"] for item in entry["metadata"] if item["breadcrumb"] == [])


def test_every_stream_is_offered_with_keys_and_replication(crm: Crm, catalog_of: CatalogOf) -> None:
    """Those that cost a request per parent are not selected by default."""
    streams = entries(catalog_of(crm))
    told = {name for name in streams if crm.is_of_account(name)}
    assert set(streams) - told == {*crm.default, *crm.unselected, "sync_audit"}
    assert all(root(streams[name]).get("selected") is not False for name in (*crm.default, *told, "sync_audit"))
    assert not any(root(streams[name]).get("selected") for name in crm.unselected)
    for name in (*crm.default, *crm.unselected, *told):
        assert tuple(streams[name]["key_properties"]) == crm.key_of(name), name
        assert streams[name].get("replication_key") == crm.replication.get(name), name


@pytest.mark.parametrize(("crm", "knobs", "left_out"), LEFT_OUT, indirect=["crm"])
def test_streams_that_the_key_may_not_read_are_left_out_by_name(
    crm: Crm, start: Start, catalog_of: CatalogOf, knobs: Knobs, left_out: tuple[str, ...]
) -> None:
    """A restricted role, or a plan without a feature, is a normal case; what is offered is complete."""
    app, tap = start(shape=crm.few, **knobs)
    catalog, log = tap.discover()
    for stream in left_out:
        assert f"stream `{stream}` is left out of the catalog" in log
    gone = set(entries(catalog_of(crm))) - set(entries(catalog))
    assert set(left_out) <= gone
    assert gone - set(left_out) <= set(crm.unselected)  # those of a parent go with it
    run = tap.sync(catalog=only(catalog, *crm.streams))
    crm.assert_complete(app, run, streams=set(crm.streams) - set(left_out))


# What is not offered is found by the same code as with `--discover`.
@pytest.mark.parametrize(("crm", "knobs", "left_out"), ONE_LEFT_OUT, indirect=["crm"])
def test_a_run_without_a_catalog_leaves_forbidden_streams_out(
    crm: Crm, start: Start, knobs: Knobs, left_out: tuple[str, ...]
) -> None:
    """Nobody asked for them: a warning, and exit code 0."""
    app, tap = start(shape=crm.few, **knobs)
    run = tap.sync()
    for stream in left_out:
        assert f"stream `{stream}` is left out" in run.log
        assert stream not in run.audit()
    crm.assert_complete(app, run, streams=set(crm.streams) - set(left_out))


@pytest.mark.parametrize(("crm", "knobs", "left_out"), LEFT_OUT, indirect=["crm"])
def test_a_run_whose_catalog_selects_a_forbidden_stream_fails_that_stream_only(
    crm: Crm, start: Start, knobs: Knobs, left_out: tuple[str, ...]
) -> None:
    """The others go on; exit code 1 names it."""
    streams = dict.fromkeys((*crm.streams, *left_out))
    app, tap = start(*streams)
    for name, value in knobs.items():
        setattr(app.behaviour, name, value)
    run = tap.sync(expect=1)
    failed = {name for name, row in run.audit().items() if not row["complete"]}
    assert failed == set(left_out)
    named = run.log.splitlines()[-1]
    assert f"{len(left_out)} of {len(streams)} streams are not complete: " in named
    assert all(stream in named for stream in left_out)
    crm.assert_complete(app, run, streams=set(crm.streams) - failed)


@pytest.mark.parametrize(
    "crm", [pytest.param(crm, id=crm.name) for crm in CRMS.values() if crm.nothing is not None], indirect=True
)
def test_a_key_that_may_read_nothing_is_said_in_the_end(crm: Crm, start: Start) -> None:
    """An empty catalog would look like a success."""
    _, tap = start(**(crm.nothing or {}))
    _, log = tap.discover(expect=1)
    assert "no stream could be read" in log.splitlines()[-1]
    assert "Traceback" not in log


@pytest.mark.parametrize("command", ["discover", "sync"])
def test_a_wrong_key_is_one_line_and_one_question(crm: Crm, start: Start, command: str) -> None:
    """An exit code of its own, no traceback, no secret; nothing else is asked."""
    app, tap = start(shape=crm.few)
    wrong = crm.config["api_key"][:-6] + "wrong0"
    if command == "discover":
        _, log = tap.discover(expect=REFUSED, api_key=wrong)
    else:
        log = tap.sync(expect=REFUSED, api_key=wrong).log
    problems = [line for line in log.splitlines() if "ERROR" in line]
    assert "401" in problems[0]
    assert "api_key" in problems[0]
    assert problems[-1].endswith("(credentials refused: exit code 77)")  # what is left of it under Meltano
    assert "Traceback" not in log
    assert wrong not in log
    if command == "discover":
        assert len(problems) == 1
        assert app.stats.requests == 1
    else:  # the streams that were begun at the same time may each have asked
        assert app.stats.requests <= 4


#: Nothing of it is a CRM's own: it is asked of the one whose account is found at once.
EVERYWHERE: tuple[tuple[dict[str, Any], tuple[str, ...]], ...] = (
    ({"provider": "salesforce"}, ("`provider`", "copper")),
    ({"api_url": "http://127.0.0.1:9"}, ("no connection", "api_url")),
    ({"api_url": "ftp://example.com"}, ("`api_url`",)),
    ({"start_date": "yesterday"}, ("`start_date`", "ISO 8601")),
    ({"overlap_seconds": -1}, ("`overlap_seconds`",)),
    ({"provider": None}, ("`provider` is missing",)),
)


@pytest.mark.parametrize(
    ("crm", "config", "words"),
    [
        pytest.param(crm, *case, id=f"{crm.name}-{case[0]}")
        for crm in CRMS.values()
        for case in (*(EVERYWHERE if crm.name == "pebble" else ()), *crm.wrong)
    ],
    indirect=["crm"],
)
def test_a_wrong_setting_is_one_line_that_says_what_to_do(
    start: Start, config: dict[str, Any], words: tuple[str, ...]
) -> None:
    """No traceback."""
    _, tap = start()
    _, log = tap.discover(expect=REFUSED if "401" in words else 1, retry_seconds=1, **config)
    errors = [line for line in log.splitlines() if "ERROR" in line]
    assert 1 <= len(errors) <= 2, log
    assert all(word in errors[0] for word in words), errors
    assert "Traceback" not in log


def test_a_setting_of_another_crm_is_named(crm: Crm, start: Start) -> None:
    """Nobody should believe in what does not come."""
    _, tap = start(crm.listed[0])
    name, value = crm.no_effect
    assert f"`{name}` has no effect with {crm.name.title()}" in tap.sync(**{name: value}).log
    assert "has no effect" not in tap.sync(custom_fields="raw", retry_seconds=5).log


@pytest.mark.parametrize("kept", [{"replication_key_value": "last week"}, "2026-01-01", None, []], ids=str)
def test_a_state_that_cannot_be_used_is_refused_before_any_request(crm: Crm, start: Start, kept: Any) -> None:  # noqa: ANN401
    """Reading everything again in silence would be worse."""
    app, tap = start(shape=crm.few)
    stream = next(iter(crm.replication), crm.default[0])
    state: Any = {"bookmarks": {stream: kept}} if kept else {"bookmarks": []} if kept is None else []
    if isinstance(kept, dict):
        if stream not in crm.replication:
            pytest.skip("no stream has a bookmark")
        state["bookmarks"][stream] = {"replication_key": crm.replication[stream], **kept}
    run = tap.sync(state=state, expect=1)
    assert "state" in run.log
    assert not isinstance(kept, dict) or f"`{stream}`" in run.log
    assert "Traceback" not in run.log
    assert app.stats.requests == 0


def test_a_catalog_that_selects_an_unknown_stream_is_refused(crm: Crm, start: Start, catalog_of: CatalogOf) -> None:
    """It would otherwise load nothing for it, and exit 0; before any request where the CRM alone tells the streams."""
    app, tap = start(shape=crm.few)
    stream = crm.listed[0]
    catalog = only(catalog_of(crm), stream)
    text = json.dumps(catalog).replace(f'"tap_stream_id": "{stream}"', '"tap_stream_id": "persons"')
    run = tap.sync(catalog=selecting(json.loads(text), "persons"), expect=1)
    assert "`persons`" in run.log
    assert any(map(crm.is_of_account, crm.streams)) or app.stats.requests == 0


def test_the_connection_test_reads_little_of_each_stream_and_fails_on_a_wrong_key(crm: Crm, start: Start) -> None:
    """``--test`` says whether a config works."""
    _, tap = start(shape=crm.few)
    tap.inside = False  # what a test leaves open is closed by the end of its process
    good = tap.call([*tap.command(), "--test"])
    assert good.code == 0, good.log[-2000:]
    wrong = crm.config["api_key"][:-6] + "wrong0"
    bad = tap.call([*tap.command(api_key=wrong, retry_seconds=1), "--test"])
    assert bad.code == REFUSED
    assert "401" in bad.log
    assert "Traceback" not in bad.log
