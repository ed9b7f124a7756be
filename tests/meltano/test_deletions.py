"""What is deleted, merged or converted, between runs and during one: after one reconcile, tables equal the CRM."""

# ruff: noqa: D103  (the name of a test is its sentence)
from __future__ import annotations

from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

import pytest

from tests.meltano.databases import MADE
from tests.meltano.deletions import STREAMS, Sizes, told

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.meltano.deletions import End
    from tests.meltano.project import Project
    from tests.postgres import Server

EACH_CRM = pytest.mark.parametrize("crm", STREAMS)
EACH_LOADER = pytest.mark.parametrize("loader", MADE)


@pytest.fixture(scope="module")
def ended(project: Project, server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., End]]:
    """Tell the story of an account into all loaders; once for all tests."""
    with ExitStack() as stack:

        @cache
        def tell(crm: str) -> dict[str, End]:
            folder = tmp_path_factory.mktemp("deletions")
            databases = [made(server, folder / "crm.duckdb") for made in MADE.values()]
            return stack.enter_context(contextmanager(told)(project, crm, databases, folder, Sizes()))

        yield lambda crm, loader: tell(crm)[loader]


@EACH_CRM
@EACH_LOADER
def test_rows_that_are_not_marked_are_what_the_crm_has_in_its_version(
    ended: Callable[..., End], crm: str, loader: str
) -> None:
    assert [one for one in ended(crm, loader).comparisons if not one.equal] == []


@EACH_CRM
@EACH_LOADER
def test_every_stream_had_records_that_went(ended: Callable[..., End], crm: str, loader: str) -> None:
    end = ended(crm, loader)
    for stream in STREAMS[crm]:
        assert end.first[stream].keys - end.living[stream].keys(), stream
        assert not end.first[stream].marked


@EACH_CRM
def test_postgresql_keeps_rows_of_what_went_and_marks_all_of_them(ended: Callable[..., End], crm: str) -> None:
    end = ended(crm, "target-postgres")
    for stream in STREAMS[crm]:
        gone = end.first[stream].keys - end.living[stream].keys()
        assert set(end.tables[stream].marked) & end.first[stream].keys == gone
        assert not set(end.tables[stream].marked) & end.living[stream].keys()


@EACH_CRM
def test_in_duckdb_no_row_is_left_of_what_went_but_those_that_the_tap_marked(
    ended: Callable[..., End], crm: str
) -> None:
    end = ended(crm, "target-duckdb")
    for stream in STREAMS[crm]:
        marked = set(end.tables[stream].marked)
        assert not marked & end.living[stream].keys()
        assert crm == "close" or not marked


@EACH_LOADER
def test_an_incremental_run_leaves_rows_of_what_went_to_the_reconcile(ended: Callable[..., End], loader: str) -> None:
    found = ended("copper", loader).unreconciled
    assert all(one.surplus for one in found)


@EACH_CRM
@EACH_LOADER
def test_the_audit_calls_all_of_it_equal(ended: Callable[..., End], crm: str, loader: str) -> None:
    audit = ended(crm, loader).audit
    assert audit.code == 0, audit.log
    assert audit.report["equal"]
    assert {one["stream"] for one in audit.report["streams"]} == set(STREAMS[crm])
    assert not any(audit.counts(stream).keys() - {"deleted"} for stream in STREAMS[crm])


@EACH_CRM
@EACH_LOADER
def test_the_audit_sets_the_marked_rows_apart(ended: Callable[..., End], crm: str, loader: str) -> None:
    end = ended(crm, loader)
    for stream in STREAMS[crm]:
        assert end.audit[stream]["deleted"] == len(end.tables[stream].marked)
        assert end.audit[stream]["table_rows"] == end.audit[stream]["crm_rows"] == len(end.living[stream])


@EACH_CRM
@EACH_LOADER
def test_the_audit_names_the_one_row_that_was_removed_by_hand(ended: Callable[..., End], crm: str, loader: str) -> None:
    end = ended(crm, loader)
    stream, *others = STREAMS[crm]
    assert end.audit_of_less.code == 1
    assert [str(one) for one in end.audit_of_less[stream]["missing"]] == [end.dropped]
    assert end.audit_of_less.counts(stream)["missing"] == 1
    assert all(end.audit_of_less[other]["verdict"] == "equal" for other in others)


def test_with_hard_delete_postgresql_removes_the_rows(ended: Callable[..., End]) -> None:
    end = ended("copper", "target-postgres")
    story = replace(end.story, loading=replace(end.story.loading, databases=(end.database,)))
    story.order(("delete", {"object": "people", "count": 20}), ("merge", {"object": "companies", "count": 5}))
    story.run(**story.crm.reconciling, TARGET_POSTGRES_HARD_DELETE="true")
    tables = story.tables(end.database)
    assert [one for one in story.compared(story.living(), tables) if not one.equal] == []
    assert not any(table.marked for table in tables.values())
