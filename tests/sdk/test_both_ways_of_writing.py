"""The fast path writes what the SDK's own path writes, line by line; maps, flattening and batches take the SDK's."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from sandbox.copper import API_KEY, USER_EMAIL, Shape, copper_app
from sandbox.server import running
from tests.singer import Run, Tap, selecting

SHAPE = Shape(people=600, companies=250, opportunities=230, leads=210, activities=450, projects=20, tasks=40)
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
        catalog, _ = tap.discover()
        some = selecting(catalog, "people", "opportunities", "activities", without=("people.emails", "people._extra"))
        for chosen in (None, some):
            fast, slow = tap.sync(catalog=chosen), tap.sync(catalog=chosen, **IDLE_MAP)
            assert lines(fast) == lines(slow)
            assert fast.state["bookmarks"].keys() == slow.state["bookmarks"].keys()


def test_stream_maps_are_applied(tmp_path: Path) -> None:
    """A field computed, a field dropped, a stream filtered."""
    with running(copper_app(SHAPE, rate_limit=0)) as url:
        maps = {"people": {"shout": "name.upper()", "details": None}, "companies": {"__filter__": "id < 0"}}
        run = _tap(tmp_path, url).sync(stream_maps=maps)
        assert run.count("people") == SHAPE.people
        assert all(record["shout"] == record["name"].upper() for record in run.records("people"))
        assert not any("details" in record for record in run.records("people"))
        assert run.count("companies") == 0
        assert run.count("leads") == SHAPE.leads


def test_batches_hold_the_selected_fields_only(tmp_path: Path) -> None:
    """The SDK's batches bypass selection; the records are shaped before they get there."""
    with running(copper_app(SHAPE, rate_limit=0)) as url:
        tap = _tap(tmp_path, url)
        catalog, _ = tap.discover()
        folder = tmp_path / "batches"
        folder.mkdir()
        run = tap.sync(
            catalog=selecting(catalog, "people", without=("people.emails", "people.details")),
            batch_config={
                "encoding": {"format": "jsonl", "compression": "gzip"},
                "storage": {"root": folder.as_uri()},
                "batch_size": 250,
            },
        )
        files = [name for message in run.messages if message["type"] == "BATCH" for name in message["manifest"]]
        texts = [gzip.decompress(Path(urlsplit(name).path).read_bytes()) for name in files]
        records = [json.loads(line) for text in texts for line in text.splitlines()]
        assert len({record["id"] for record in records}) == len(records) == SHAPE.people
        assert not any({"emails", "details"} & record.keys() for record in records)
        assert run.state["bookmarks"]["people"]["replication_key_value"]


def _tap(folder: Path, url: str) -> Tap:
    return Tap(folder, provider="copper", api_key=API_KEY, user_email=USER_EMAIL, api_url=url, requests_per_minute=0)
