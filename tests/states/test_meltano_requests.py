"""A Meltano run is a discovery and a read: together they ask little more than the read alone."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.singer import Tap, only
from tests.states.conftest import CRMS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.states.conftest import Account

    Open = Callable[..., Account]

#: Of each CRM: streams that a project reads, and what discovery asks for them at first, and then.
FEW = {"copper": (("people", "tags"), 3, 1), "close": (("leads", "users"), 4, 2), "copera": (("members",), 3, 2)}


class Project:
    """A tap as a Meltano project runs it."""

    def __init__(self, account: Account, folder: Path, monkeypatch: pytest.MonkeyPatch, select: list[str]) -> None:
        (folder / "run" / "tap-x").mkdir(parents=True, exist_ok=True)
        monkeypatch.setenv("MELTANO_SYS_DIR_ROOT", str(folder))
        monkeypatch.setenv("MELTANO_EXTRACTOR_NAME", "tap-x")
        monkeypatch.setenv("MELTANO_EXTRACT__SELECT", json.dumps(select))
        self.app = account.app
        self.tap = Tap(account.tap.folder, **{**account.tap.config, "custom_fields": "columns"})
        self.tap.inside = True

    def discover(self, **settings: Any) -> tuple[dict[str, Any], int]:  # noqa: ANN401 - settings of any type
        """Return the catalog, and how many requests it cost."""
        self.app.stats.reset()
        return self.tap.discover(**settings)[0], self.app.stats.requests


@pytest.mark.parametrize("name", CRMS)
def test_discovery_asks_of_selected_streams_only_and_of_each_once_a_day(
    open_account: Open, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Definitions, of which columns are made, are asked for at each run; so are Copera's tables."""
    streams, first, then = FEW[name]
    project = Project(open_account(name), tmp_path, monkeypatch, [f"{stream}.*" for stream in streams])
    catalog, requests = project.discover()
    assert {one["tap_stream_id"] for one in catalog["streams"]} > {*streams, "sync_audit"}  # all are offered
    assert requests == first
    again, requests = project.discover()
    assert again == catalog
    assert requests == then
    assert project.tap.sync(catalog=only(again, *streams)).state


def test_other_credentials_are_asked_anew(open_account: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They may have other rights; a file without a secret tells them apart."""
    project = Project(open_account("copper"), tmp_path, monkeypatch, ["people.*"])
    project.discover()
    kept = (tmp_path / "run" / "tap-x" / "tap-crm-readable.json").read_text()
    assert project.tap.config["api_key"] not in kept
    assert project.tap.config["user_email"] not in kept
    assert project.discover(api_url=project.tap.config["api_url"] + "/")[1] == 2
    assert project.discover(reconcile_days=3)[1] == 2  # the others again, which were known


def test_a_stream_that_was_refused_is_asked_again_and_offered_as_soon_as_it_may_be(
    open_account: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only what could be read is remembered."""
    account = open_account("copper", forbidden=frozenset({"tags"}))
    project = Project(account, tmp_path, monkeypatch, ["*.*"])
    refused, _ = project.discover()
    assert "tags" not in {one["tap_stream_id"] for one in refused["streams"]}
    account.app.behaviour.forbidden = frozenset()  # type: ignore[attr-defined] # Copper has it
    offered, _ = project.discover()
    assert "tags" in {one["tap_stream_id"] for one in offered["streams"]}


def test_a_stream_that_is_refused_after_it_was_known_fails_by_name(
    open_account: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run itself finds it out: nothing is left out without a word."""
    account = open_account("copper")
    project = Project(account, tmp_path, monkeypatch, ["*.*"])
    project.discover()
    account.app.behaviour.forbidden = frozenset({"tags"})  # type: ignore[attr-defined] # Copper has it
    catalog, _ = project.discover()
    run = project.tap.sync(catalog=only(catalog, "people", "tags", "sync_audit"), expect=1)
    assert "1 of 2 streams are not complete: tags" in run.log
    assert run.audit()["people"]["complete"]


def test_a_run_without_a_catalog_has_the_columns_of_what_meltano_leaves_out(
    open_account: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rules are Meltano's, which are in its catalog; a run without one reads everything."""
    project = Project(open_account("copper"), tmp_path, monkeypatch, ["tags.*"])
    run = project.tap.sync()
    assert any(name.startswith("custom_") for name in run.schemas["people"]["schema"]["properties"])
