"""The fast path writes what the SDK's own path writes, line by line; maps, flattening and batches take the SDK's."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from sandbox.copper import API_KEY, USER_EMAIL, Shape, copper_app
from sandbox.server import running
from tests.singer import Run, Tap, only, selecting

SHAPE = Shape(people=420, companies=20, opportunities=20, leads=20, activities=210, projects=5, tasks=10)
SMALL = Shape(people=30, companies=5, opportunities=3, leads=3, activities=10, projects=2, tasks=5)
#: A map that changes nothing, but makes the SDK write every record itself.
IDLE_MAP: dict[str, Any] = {"stream_maps": {"people_unused": {"__source__": "people", "__filter__": "False"}}}


#: In every run: when a record was read, and which version it has.
DIFFERENT = ("time_extracted", "version")


def lines(run: Run) -> list[dict[str, Any]]:
    """Return the messages without what differs from run to run."""
    found = []
    for message in run.messages:
        if message["type"] == "STATE" or message.get("stream") in ("sync_audit", "people_unused"):
            continue
        found.append({name: value for name, value in message.items() if name not in DIFFERENT})
    return sorted(found, key=lambda message: json.dumps(message, default=str, sort_keys=True))


def test_the_same_records_by_either_way(tmp_path: Path) -> None:
    """With all fields, and with some deselected."""
    with running(copper_app(SHAPE, rate_limit=0)) as url:
        tap = _tap(tmp_path, url)
        catalog = only(
            tap.discover()[0], "people", "opportunities", "activities", "tags", "custom_fields", "sync_audit"
        )
        some = selecting(catalog, "people", "opportunities", "activities", without=("people.emails", "people._extra"))
        for chosen in (catalog, some):
            fast, slow = tap.sync(catalog=chosen), tap.sync(catalog=chosen, **IDLE_MAP)
            assert lines(fast) == lines(slow)
            assert fast.state["bookmarks"].keys() == slow.state["bookmarks"].keys()


def test_stream_maps_are_applied(tmp_path: Path) -> None:
    """A field computed, a field dropped, a stream filtered."""
    with running(copper_app(SHAPE, rate_limit=0)) as url:
        maps = {"people": {"shout": "name.upper()", "details": None}, "companies": {"__filter__": "id < 0"}}
        tap = _tap(tmp_path, url)
        run = tap.sync(stream_maps=maps, catalog=only(tap.discover()[0], "people", "companies", "leads"))
        assert run.count("people") == SHAPE.people
        assert all(record["shout"] == record["name"].upper() for record in run.records("people"))
        assert not any("details" in record for record in run.records("people"))
        assert run.count("companies") == 0
        assert run.count("leads") == SHAPE.leads


def test_a_field_deselected_within_an_object_is_written_nowhere(tmp_path: Path) -> None:
    """By none of the ways of writing."""
    with running(copper_app(SMALL, rate_limit=0)) as url:
        tap = _tap(tmp_path, url)
        catalog, _ = tap.discover()
        chosen = selecting(catalog, "people", without=("people.city",))
        runs = [tap.sync(catalog=chosen), tap.sync(catalog=chosen, **IDLE_MAP)]
        written = [run.records("people") for run in runs]
        batching = _tap(tmp_path, url, inside=False)
        written.append(_batched(batching.sync(catalog=chosen, batch_config=_batches(tmp_path / "batches"))))
    for records in written:
        addresses = [record["address"] for record in records if record["address"]]
        assert addresses
        assert not any("city" in address for address in addresses)
        assert all("country" in address for address in addresses)


def test_a_batch_file_that_cannot_be_written_fails_its_stream_and_moves_no_bookmark(tmp_path: Path) -> None:
    """What the state says must be in a file."""
    (tmp_path / "taken").write_text("a file where a folder should be")
    with running(copper_app(SMALL, rate_limit=0)) as url:
        tap = _tap(tmp_path, url, inside=False)
        chosen = selecting(tap.discover()[0], "people", "tags")
        run = tap.sync(catalog=chosen, batch_config=_batches(tmp_path / "taken"), expect=1)
    assert "people: a batch file cannot be written" in run.log
    assert "2 of 2 streams are not complete" in run.log
    assert "Traceback" not in run.log
    assert "replication_key_value" not in run.state.get("bookmarks", {}).get("people", {})


def test_a_map_that_fails_stops_its_stream_only(tmp_path: Path) -> None:
    """In one line; its bookmark stays."""
    with running(copper_app(SMALL, rate_limit=0)) as url:
        maps = {"people": {"name": "nme.upper()"}}
        tap = _tap(tmp_path, url)
        chosen = selecting(tap.discover()[0], "people", "companies", "sync_audit")
        run = tap.sync(catalog=chosen, stream_maps=maps, expect=1)
    assert "stream `people` is not complete: people: the stream map of `people` fails" in run.log
    assert "Traceback" not in run.log
    assert run.count("companies") == SMALL.companies
    assert {name: row["complete"] for name, row in run.audit().items()} == {"people": False, "companies": True}
    assert "replication_key_value" not in run.state["bookmarks"].get("people", {})


def test_a_setting_that_cannot_be_used_is_refused_before_anything_is_asked(tmp_path: Path) -> None:
    """In one line."""
    app = copper_app(SMALL, rate_limit=0)
    with running(app) as url:
        maps = {"people": {"email": None}}
        run = _tap(tmp_path, url).sync(stream_maps=maps, batch_config=_batches(tmp_path), expect=1)
    assert "`batch_config` and `stream_maps` do not work together" in run.log
    assert "Traceback" not in run.log
    assert run.messages == []
    assert app.stats.requests == 0


def test_a_map_for_no_stream_or_no_field_is_warned_of(tmp_path: Path) -> None:
    """What it should hide may be written in clear."""
    with running(copper_app(SMALL, rate_limit=0)) as url:
        maps = {"poeple": {"emails": None}, "tasks": {"detials": None}}
        tap = _tap(tmp_path, url)
        log = tap.sync(catalog=only(tap.discover()[0], "people", "tasks"), stream_maps=maps).log
    assert "`poeple` maps no stream" in log
    assert "`tasks` has no field `detials` to take out" in log


def test_rows_of_earlier_runs_stay_in_the_audit_whatever_the_sdk_is_told(tmp_path: Path) -> None:
    """And no stream begins by saying that all older rows are gone."""
    with running(copper_app(SMALL, rate_limit=0)) as url:
        tap = _tap(tmp_path, url)
        chosen = only(tap.discover()[0], "people", "tags", "sync_audit")
        run = tap.sync(catalog=chosen, emit_activate_version_messages=True)
    activated = [(at, message) for at, message in enumerate(run.messages) if message["type"] == "ACTIVATE_VERSION"]
    assert "tags" in {message["stream"] for _, message in activated}
    assert "sync_audit" not in {message["stream"] for _, message in activated}
    for at, message in activated:
        later = [other["type"] for other in run.messages[at:] if other.get("stream") == message["stream"]]
        assert later == ["ACTIVATE_VERSION"]


def test_batches_hold_the_selected_fields_only(tmp_path: Path) -> None:
    """The SDK's batches bypass selection; the records are shaped before they get there."""
    with running(copper_app(SHAPE, rate_limit=0)) as url:
        tap = _tap(tmp_path, url, inside=False)
        catalog, _ = tap.discover()
        folder = tmp_path / "batches"
        folder.mkdir()
        run = tap.sync(
            catalog=selecting(catalog, "people", without=("people.emails", "people.details")),
            batch_config=_batches(folder),
        )
        records = _batched(run)
        assert len({record["id"] for record in records}) == len(records) == SHAPE.people
        assert not any({"emails", "details"} & record.keys() for record in records)
        assert run.state["bookmarks"]["people"]["replication_key_value"]


def _batches(folder: Path) -> dict[str, Any]:
    encoding = {"format": "jsonl", "compression": "gzip"}
    return {"encoding": encoding, "storage": {"root": folder.as_uri()}, "batch_size": 200}


def _batched(run: Run) -> list[dict[str, Any]]:
    """Return the records of all batch files that were told of."""
    files = [name for message in run.messages if message["type"] == "BATCH" for name in message["manifest"]]
    texts = [gzip.decompress(Path(urlsplit(name).path).read_bytes()) for name in files]
    return [json.loads(line) for text in texts for line in text.splitlines()]


def _tap(folder: Path, url: str, *, inside: bool = True) -> Tap:
    """Return a tap; the SDK leaves files of batches open, which only the end of a process closes."""
    tap = Tap(folder, provider="copper", api_key=API_KEY, user_email=USER_EMAIL, api_url=url, requests_per_minute=0)
    tap.inside = inside
    return tap
