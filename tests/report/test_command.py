"""What `tap-crm-report` takes, writes and ends with."""

# ruff: noqa: D103  (the name of a test is its sentence)
from __future__ import annotations

import io
import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest
import sqlalchemy as sa

from tap_crm.journal.tables import FACTS, METADATA, WRITES
from tap_crm.report.command import main
from tests.report.audits import NOW, failed, make, row

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.audit.loaded import DuckDbFile


class Ended(NamedTuple):
    """How a run of the command ended."""

    code: int
    out: str
    error: str


@pytest.fixture
def report(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., Ended]:
    """Return what runs the command in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TAP_CRM_AUDIT_DATABASE", raising=False)

    def run(*arguments: str) -> Ended:
        with pytest.raises(SystemExit) as end:
            main(arguments)
        said = capsys.readouterr()
        return Ended(int(end.value.code or 0), said.out, said.err)

    return run


@pytest.fixture
def loaded(file: DuckDbFile) -> DuckDbFile:
    """Give a database with an audit."""
    make(file, [row("people"), failed("leads", "status 500")])
    return file


def test_it_writes_a_page_and_nothing_else(report: Callable[..., Ended], loaded: DuckDbFile, tmp_path: Path) -> None:
    before = set(tmp_path.iterdir())
    assert report("--database", loaded.address) == (0, "", "tap-crm-report: the page is report.html\n")
    assert {path.name for path in set(tmp_path.iterdir()) - before} == {"report.html"}
    page = (tmp_path / "report.html").read_text("utf-8")
    assert page.startswith("<!DOCTYPE html>")
    assert "status 500" in page


def test_it_writes_to_standard_output_if_asked(report: Callable[..., Ended], loaded: DuckDbFile) -> None:
    ended = report("--database", loaded.address, "--out", "-", "--no-count")
    assert (ended.code, ended.out[:15]) == (0, "<!DOCTYPE html>")


def test_the_variable_names_the_database_unless_a_state_is_given(
    report: Callable[..., Ended], loaded: DuckDbFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TAP_CRM_AUDIT_DATABASE", loaded.address)
    assert "schema copper" in report("--out", "-").out
    Path("state.json").write_text('{"bookmarks": {}}', "utf-8")
    assert "schema copper" not in report("--state", "state.json", "--out", "-").out


STATE = {
    "bookmarks": {
        "people": {
            "replication_key": "date_modified",
            "replication_key_value": "2026-11-20T10:00:00Z",
            "reconciled_at": "2026-11-19T10:00:00Z",
            "rows": 4_321,
        },
        "tags": {"version": 3, "reconciled_at": "2026-11-20T11:00:00Z"},
        "leads": {"replication_key_value": "no time"},
        "sync_audit": {},
    }
}


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(STATE),
        json.dumps(STATE, indent=2),
        json.dumps({"type": "STATE", "value": STATE}),
        json.dumps({"singer_state": STATE}),
        f'{{"bookmarks": {{}}}}\n{json.dumps(STATE)}\n',
    ],
    ids=["file", "indented", "message", "meltano", "lines"],
)
def test_a_state_tells_up_to_when_streams_are_loaded(
    text: str, report: Callable[..., Ended], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(text))
    ended = report("--state", "-", "--out", "-")
    assert (ended.code, ended.error) == (0, "")
    for part in ("2026-11-20T10:00:00Z", "2026-11-20T11:00:00Z", "4,321", "standard input"):
        assert part in ended.out
    assert "sync_audit</bdi>" not in ended.out
    assert "no complete read is known" in ended.out  # of leads


def test_several_states_are_several_accounts(report: Callable[..., Ended]) -> None:
    for name in ("emea", "apac"):
        Path(f"{name}.json").write_text(json.dumps(STATE), "utf-8")
    page = report("--state", "emea.json", "--state", "apac.json", "--out", "-").out
    assert "emea" in page
    assert "apac" in page


def journal(provider: str) -> str:
    """Make a journal; returns its path."""
    path = Path("journal.sqlite")
    engine = sa.create_engine(f"sqlite:///{path}")
    METADATA.create_all(engine)
    written = {"stream": "people", "key": "1", "object": "people", "fields": "[]", "meant": 1.0, "run_id": "r"}
    with engine.begin() as connection:
        facts = {"version": "1", "id": "j", "provider": provider}
        connection.execute(FACTS.insert(), [{"name": name, "value": value} for name, value in facts.items()])
        settled = datetime(2026, 11, 20, 9, tzinfo=UTC).timestamp()
        rows = [written | {"outcome": outcome, "settled": settled} for outcome in ("created", "created", "unknown")]
        connection.execute(WRITES.insert(), rows)
    engine.dispose()
    return str(path)


def test_a_journal_tells_what_was_written(report: Callable[..., Ended], loaded: DuckDbFile) -> None:
    page = report("--database", loaded.address, "--out", "-", "--journal", journal("copper")).out
    assert "What target-crm has written" in page
    assert "2026-11-20T09:00:00Z" in page


def test_a_journal_of_another_crm_is_an_error(report: Callable[..., Ended], loaded: DuckDbFile) -> None:
    ended = report("--database", loaded.address, "--journal", journal("close"))
    assert ended == (
        1,
        "",
        "tap-crm-report: `--journal` names one of `close`, and no account of it was loaded\n",
    )


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--state", "s.json", "--database", "x.duckdb"], 2, "give either `--database` or `--state`"),
        (["--state", "none.json"], 1, "`--state`: none.json cannot be read: No such file or directory"),
        (["--state", "list.json"], 1, "`--state`: list.json is no state"),
        (["--state", "image.json"], 1, "`--state`: image.json is no state"),
        (["--database", "none.duckdb"], 1, "there is no file none.duckdb"),
        (["--database", "mysql://u:secret@h/d"], 1, "`--database` is no address"),
        (["--state", "s.json", "--out", "none/page.html"], 1, "there is no folder for the file none/page.html"),
        (["--state", "s.json", "--journal", "none.sqlite"], 1, "`--journal`: there is no file none.sqlite"),
        (["--state", "s.json", "--days", "0"], 2, "0 is not in the range"),
    ],
)
def test_what_cannot_be_is_one_line(arguments: list[str], code: int, said: str, report: Callable[..., Ended]) -> None:
    Path("s.json").write_text("{}", "utf-8")
    Path("list.json").write_text("[1]", "utf-8")
    Path("image.json").write_bytes(b"\x89PNG\xff")
    ended = report(*arguments)
    assert (ended.code, ended.out) == (code, "")
    assert said in ended.error
    assert "secret" not in ended.error
    assert not Path("report.html").exists()
    assert len(ended.error.splitlines()) == (1 if code == 1 else 4)


def test_without_the_template_engine_it_says_what_to_install(
    report: Callable[..., Ended], loaded: DuckDbFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "tap_crm.report.page", raising=False)
    monkeypatch.setitem(sys.modules, "jinja2", None)
    ended = report("--database", loaded.address)
    assert ended.code == 1
    assert "the package `jinja2` is not installed beside tap-crm" in ended.error


def test_a_page_that_cannot_be_finished_leaves_the_earlier_one(
    report: Callable[..., Ended], loaded: DuckDbFile
) -> None:
    Path("report.html").write_text("earlier", "utf-8")
    Path("report.html.part").mkdir()
    ended = report("--database", loaded.address)
    assert (ended.code, len(ended.error.splitlines())) == (1, 1)
    assert Path("report.html").read_text("utf-8") == "earlier"


def test_what_is_old_depends_on_the_age_that_is_given(report: Callable[..., Ended], file: DuckDbFile) -> None:
    hours = (datetime.now(UTC) - NOW).total_seconds() / 3600
    make(file, [row("people")])
    arguments = ("--database", file.address, "--out", "-", "--days", "366")
    assert "1 of 1 streams is old" in report(*arguments, "--max-age", f"{hours}").out
    assert "Complete and fresh" in report(*arguments, "--max-age", f"{hours + 2}").out
