"""A list that is read whole and is as it was written last is not written again, and what is told stays true."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from sandbox.server import running
from tests.contract.conftest import tap_for
from tests.contract.crms import CRMS
from tests.singer import only, selecting
from tests.target import Target, activated

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.contract.conftest import CatalogOf, Start
    from tests.contract.crm import Crm
    from tests.singer import Run, Tap

LONG_AGO = "2020-01-01T00:00:00Z"


@dataclass
class Loaded:
    """An account that no test changes, and what a first run wrote of its lists."""

    crm: Crm
    tap: Tap
    catalog: dict[str, Any]
    first: Run

    def sync(self, *streams: str, **config: Any) -> Run:  # noqa: ANN401 - settings of any type
        """Run once more, some streams only."""
        return self.tap.sync(catalog=selecting(self.catalog, *streams, "sync_audit"), **config)


@pytest.fixture(scope="module", params=list(CRMS.values()), ids=list(CRMS))
def served(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, catalog_of: CatalogOf
) -> Iterator[Loaded]:
    """Serve it."""
    crm: Crm = request.param
    catalog = only(catalog_of(crm), *crm.listed, "sync_audit")
    with running(crm.app(crm.few, rate_limit=0, **crm.knobs)) as url:
        tap = tap_for(crm, url, tmp_path_factory.mktemp(crm.name), catalog)
        yield Loaded(crm, tap, catalog, tap.sync())


@pytest.fixture
def loaded(served: Loaded, unmeasured: None) -> Loaded:  # noqa: ARG001 - only the tap is of interest
    """Return it."""
    return served


def written(run: Run, *streams: str) -> set[str]:
    """Return which of some streams a run wrote anything of."""
    return {one["stream"] for one in run.messages if one.get("stream") in streams}


def with_written(run: Run, **parts: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON
    """Return a run's state, with other parts of what was written last."""
    state = deepcopy(run.state)
    for kept in state["bookmarks"].values():
        if "written" in kept:
            kept["written"] |= parts
    return state


def test_a_list_that_is_the_same_is_not_written_and_one_that_changed_is_written_whole(crm: Crm, start: Start) -> None:
    """Without a message there is no new version either, and nothing that the audit could take for gone."""
    app, tap = start(*crm.listed, shape=crm.few)
    first = tap.sync()
    idle = tap.sync(state=first.state)
    assert written(idle, *crm.listed) == set()
    before, after = first.audit(), idle.audit()
    for stream in crm.listed:
        kept = idle.state["bookmarks"][stream]
        assert kept["version"] == activated(first)[stream]
        assert kept["written"] == first.state["bookmarks"][stream]["written"]
        told = {name: after[stream][name] for name in ("complete", "records", "whole_since", "deletions")}
        assert told == {"complete": True, "records": 0, "whole_since": None, "deletions": 0}, stream
        assert after[stream]["distinct_ids"] == before[stream]["distinct_ids"], stream
        assert after[stream]["source_total"] == before[stream]["source_total"], stream
    gone = {stream: crm.drop(app, stream) for stream in crm.listed}
    changed = tap.sync(state=idle.state)
    target = Target(first, idle, changed)
    for stream in crm.listed:
        assert changed.keys(stream) == first.keys(stream) - gone[stream], stream
        assert target.marked(stream) == gone[stream], stream
        assert stream in changed.schemas, stream
        assert changed.audit()[stream]["whole_since"] is not None, stream
    assert written(tap.sync(state=changed.state), *crm.listed) == set()


def test_before_a_row_of_a_changed_list_the_state_says_that_the_target_is_between_two_lists(
    crm: Crm, start: Start
) -> None:
    """A run that dies there may be followed by one that finds the list as it was at first."""
    stream = crm.listed[0]
    app, tap = start(stream)
    first = tap.sync()
    crm.drop(app, stream)
    second = tap.sync(state=first.state)
    rows = [at for at, one in enumerate(second.messages) if one.get("stream") == stream and one["type"] == "RECORD"]
    states = [one["value"] for one in second.messages[: rows[0]] if one["type"] == "STATE"]
    assert states[-1]["bookmarks"][stream]["written"] == {"digest": None}
    assert written(tap.sync(state=states[-1]), stream) == {stream}


@pytest.mark.parametrize(
    ("parts", "settings", "is_written"),
    [
        ({"at": LONG_AGO}, {}, True),
        ({"at": LONG_AGO}, {"reconcile": "false"}, False),
        ({}, {"reconcile": "true"}, True),
        ({"version": 1}, {}, True),  # written since by a version of the tap that knows no digest
        ({}, {"activate_versions": False}, True),
    ],
    ids=["due", "never due", "asked for", "another version", "no versions told"],
)
def test_a_list_is_written_all_the_same_where_the_target_may_lack_it(
    loaded: Loaded, parts: dict[str, Any], settings: dict[str, Any], *, is_written: bool
) -> None:
    """A table that was dropped, or rows of a run whose state was lost, are mended within ``reconcile_days``."""
    stream, first = loaded.crm.listed[0], loaded.first
    second = loaded.sync(stream, state=with_written(first, **parts), **settings)
    assert (second.count(stream) == first.count(stream)) is is_written
    assert (written(second, stream) == {stream}) is is_written


def test_a_state_of_an_earlier_version_has_all_written_once(loaded: Loaded) -> None:
    """It says neither which SCHEMA was told nor what was written."""
    lists, first = loaded.crm.listed, loaded.first
    earlier = deepcopy(first.state)
    for kept in earlier["bookmarks"].values():
        kept.pop("written", None)
        kept.pop("schema", None)
    second = loaded.sync(*lists, state=earlier)
    assert written(second, *lists) == set(lists)
    assert {stream: second.count(stream) for stream in lists} == {stream: first.count(stream) for stream in lists}
    assert written(loaded.sync(*lists, state=second.state), *lists) == set()


def test_an_idle_run_ends_with_a_state_and_writes_few(loaded: Loaded) -> None:
    """One at its beginning, as the SDK has it, and one behind the audit."""
    idle = loaded.sync(*loaded.crm.listed, state=loaded.first.state)
    assert idle.messages[-1]["type"] == "STATE"
    assert sum(one["type"] == "STATE" for one in idle.messages) <= 3


def test_a_list_is_compared_as_stream_maps_and_other_settings_have_it_written(loaded: Loaded) -> None:
    """The target gets what they make of the rows: with another form, all of them are new to it."""
    stream, first = loaded.crm.listed[0], loaded.first
    maps = {stream: {"__alias__": "renamed", "more": "'x'"}}
    mapped = loaded.sync(stream, state=first.state, stream_maps=maps)
    assert mapped.count("renamed") == first.count(stream)
    idle = loaded.sync(stream, state=mapped.state, stream_maps=maps)
    assert written(idle, "renamed", stream) == set()
    assert idle.audit()[stream]["records"] == 0
    batched = loaded.sync(
        stream,
        state=mapped.state,
        batch_config={
            "encoding": {"format": "jsonl", "compression": "gzip"},
            "storage": {"root": f"file://{loaded.tap.folder}", "prefix": "x"},
        },
    )
    assert {one["type"] for one in batched.messages if one.get("stream") == stream} == {"SCHEMA", "BATCH"}
    assert batched.state["bookmarks"][stream]["written"] == {"digest": None}


# What shares a table is said by a setting, and known to no CRM.
@pytest.mark.parametrize("crm", [pytest.param(CRMS["copper"], id="copper")], indirect=True)
def test_accounts_that_share_tables_write_a_list_that_is_the_same_once(crm: Crm, start: Start) -> None:
    """No version tells of deletions there: what is gone is older than the last ``whole_since``, which stays."""
    app, tap = start(*crm.listed)
    shared: dict[str, Any] = {"account_column": "account"}
    shared["catalog"] = only(tap.discover(**shared)[0], *crm.listed, "sync_audit")
    first = tap.sync(**shared)
    idle = tap.sync(state=first.state, **shared)
    assert written(idle, *crm.listed) == set()
    gone = {stream: crm.drop(app, stream) for stream in crm.listed}
    changed = tap.sync(state=idle.state, **shared)
    for stream in crm.listed:
        assert idle.audit()[stream]["whole_since"] is None, stream
        assert len(changed.keys(stream)) == len(first.keys(stream)) - len(gone[stream]), stream
        assert changed.audit()[stream]["whole_since"] is not None, stream
