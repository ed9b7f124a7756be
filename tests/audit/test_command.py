"""What `tap-crm-audit` prints, its exit codes, and the one line that it says where it cannot compare."""

# ruff: noqa: D103, S608  (the name of a test is its sentence; the names in SQL are ours)
from __future__ import annotations

import json
import socket
import sys
import threading
from typing import TYPE_CHECKING, Any

import duckdb
import pytest

from tests.audit.loaded import DuckDbFile, run_audit
from tests.singer import environment, only, selecting
from tests.started import run

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.audit.conftest import Account, Audit, Databases, Loaded, Open


def test_people_read_a_table_the_first_ids_and_the_outcome(database: Loaded, copper_account: Account) -> None:
    people, companies = copper_account.ids("people"), copper_account.ids("companies")
    database.execute(f"DELETE FROM copper.people WHERE id IN ({', '.join(people[:3])})")
    database.execute(f"UPDATE copper.people SET _sdc_deleted_at = '2026-01-01' WHERE id = {people[5]}")
    database.execute(f"UPDATE copper.companies SET date_modified = '2001-01-01' WHERE id = {companies[1]}")
    database.execute("INSERT INTO copper.tags (name) VALUES ('two' || chr(10) || 'lines')")
    arguments = ("--config", copper_account.config, "--database", database.address, "--limit", "3")
    found = run_audit(*arguments, "--streams", "people,companies,tags,users")
    assert found.code == 1
    lines = [line.split() for line in found.out.splitlines() if line.strip()]
    assert lines[0] == ["stream", "CRM", "table", "deleted", "missing", "surplus", "stale", "newer", "verdict"]
    tags = str(copper_account.run.count("tags"))
    assert ["people", "60", "56", "1", "4", "0", "0", "0", "different"] in lines
    assert ["companies", "20", "20", "0", "0", "0", "1", "0", "different"] in lines
    assert ["tags", tags, str(int(tags) + 1), "0", "0", "1", "-", "0", "different"] in lines
    assert f"people: 4 missing in the table: {', '.join(people[:3])} and 1 more" in found.out
    assert f"companies: 1 older than in the CRM: {companies[1]}" in found.out
    assert "tags: 1 not in the CRM: 'two\\nlines'" in found.out
    outcome = "not equal: 1 of 4 streams of the schema `copper` and Copper are; different: people, companies, tags"
    assert found.out.splitlines()[-1] == outcome
    assert "equal: 1 streams" not in found.out
    assert "marked as deleted" in run_audit(*arguments[:-1], "4", "--streams", "people").out
    silent = run_audit(*arguments[:-1], "0", "--streams", "people").out.splitlines()
    assert "people: 4 missing in the table" in silent


def test_the_same_is_written_as_json(database: Loaded, copper_account: Account, tmp_path: Path) -> None:
    file = tmp_path / "report.json"
    arguments = ("--database", database.address, "--streams", "tags", "--json", str(file))
    found = run_audit("--config", copper_account.config, *arguments)
    assert found.code == 0
    assert found.out.splitlines()[-1] == "equal: 1 streams of the schema `copper` and Copper"
    report = json.loads(file.read_text())
    assert {name: report[name] for name in ("equal", "provider", "database", "schema", "notes")} == {
        "equal": True,
        "provider": "copper",
        "database": "duckdb",
        "schema": "copper",
        "notes": [],
    }
    count = copper_account.run.count("tags")
    assert report["time"].endswith("Z")
    assert report["streams"][0] | {"loaded_to": None} == {
        "stream": "tags",
        "verdict": "equal",
        "crm_rows": count,
        "table_rows": count,
        "deleted": 0,
        **{f"{name}_count": 0 for name in ("missing", "surplus", "newer")},
        **{name: [] for name in ("missing", "marked_as_deleted", "surplus", "stale")},
        "stale_count": None,
        "notes": ["stale: not compared, since the records have no time of change"],
        "loaded_to": None,
        "reason": None,
    }


def test_settings_and_address_may_come_from_the_environment(database: Loaded, copper_account: Account) -> None:
    config = {f"TAP_CRM_{name.upper()}": str(value) for name, value in copper_account.tap.config.items()}
    variables = {"TAP_CRM_AUDIT_DATABASE": database.address, **config}
    found = run_audit("--config", "ENV", "--streams", "tags", inside=True, **variables)
    assert found.code == 0, found.log


def test_the_installed_command_is_the_module(database: Loaded, copper_account: Account) -> None:
    command = [sys.executable, "-m", "tap_crm.audit", "--config", copper_account.config, "--streams", "tags"]
    command += ["--database", database.address]
    done = run(command, variables=environment(measured=False))
    assert (done.returncode, done.stderr) == (0, b"")
    assert "equal: 1 streams" in done.stdout.decode()


def test_help_tells_options_and_exit_codes() -> None:
    found = run_audit("--help")
    assert found.code == 0
    told = ("--config", "--database", "--schema", "--catalog", "--streams", "--json", "--limit")
    assert all(option in found.out for option in (*told, "Exit codes"))


def test_nothing_is_written_to_the_database(database: DuckDbFile, audit: Audit) -> None:
    before = database.path.read_bytes()
    assert audit(database, "people").code == 0
    assert database.path.read_bytes() == before
    assert list(database.path.parent.glob(f"{database.path.name}?*")) == []


def test_a_schema_may_be_named_and_else_is_found(
    database: Loaded, audit: Audit, databases: Databases, account: Open
) -> None:
    assert audit(database, "tags", arguments=("--schema", "COPPER")).report["schema"] == "copper"
    database.execute("CREATE TABLE main.tags AS SELECT * FROM copper.tags")
    database.execute("DROP SCHEMA copper CASCADE")
    assert audit(database, "tags").report["schema"] == "main"
    foreign = databases.make("duckdb", account("copera"))
    found = audit(foreign, "tags")
    assert found.code == 2
    assert "the schema `copper` or `main`" in found.log
    assert "schemas with tables: copera" in found.log
    found = audit(foreign, "tags", arguments=("--schema", "nowhere"))
    assert "no tables in the schema `nowhere`" in found.log


# Streams that cannot be read


def test_a_stream_that_cannot_be_read_is_named_and_the_others_are_compared(
    audit: Audit, databases: Databases, own_account: Open, catalog: dict[str, Any]
) -> None:
    streams = ("users", "tags", "people")
    closed = own_account(*streams)
    database = databases.make("duckdb", closed, is_shared=False)
    chosen = closed.tap.write("catalog", only(catalog, *streams))
    closed.app.behaviour.forbidden = ["users"]
    found = audit(database, of=closed, arguments=("--catalog", chosen))
    assert found.code == 1
    assert found.report["equal"] is False
    verdicts = {one["stream"]: one["verdict"] for one in found.report["streams"]}
    assert verdicts == {"tags": "equal", "people": "equal", "users": "unknown"}
    assert "403" in found["users"]["reason"]
    assert found["users"]["crm_rows"] is None
    shown = run_audit("--config", closed.config, "--database", database.address, "--catalog", chosen)
    assert "equal; unknown" not in shown.out
    assert shown.out.splitlines()[-1].endswith("2 of 3 streams of the schema `copper` and Copper are; unknown: users")


def test_a_stream_that_runs_leave_out_is_left_out(audit: Audit, databases: Databases, own_account: Open) -> None:
    without_leads = own_account(leads_enabled=False)
    database = databases.make("duckdb", without_leads, is_shared=False)
    database.execute("DROP TABLE copper.leads")
    database.execute("DROP TABLE copper.lead_statuses")
    found = audit(database, of=without_leads)
    assert found.code == 0, found.out
    assert found["leads"]["verdict"] == "left out"
    assert "403" in found["leads"]["reason"]
    assert audit(database, "leads", of=without_leads).code == 2


def test_credentials_that_are_refused_meanwhile_end_the_reading(
    audit: Audit, databases: Databases, own_account: Open
) -> None:
    streams = ("people", "tags", "users", "pipelines", "webhooks")
    account = own_account(*streams)
    database = databases.make("duckdb", account, is_shared=False)
    account.app.revoke(None, 4)
    found = audit(database, *streams, of=account)
    assert found.code == 1
    assert found["people"]["verdict"] == "equal"
    assert "401" in found["tags"]["reason"] + found["users"]["reason"] + found["pipelines"]["reason"]
    assert found["webhooks"]["reason"] == "not read, since the credentials were refused before"


def test_a_table_of_copera_that_is_gone_is_named(audit: Audit, databases: Databases, account: Open) -> None:
    other = account("copera")
    catalog = selecting(other.tap.discover()[0], "members")
    entry = next(one for one in catalog["streams"] if one["tap_stream_id"] == "members")
    catalog["streams"].append({**json.loads(json.dumps(entry)), "tap_stream_id": "lost", "stream": "lost"})
    path = other.tap.write("catalog", catalog)
    found = audit(databases.make("duckdb", other), of=other, arguments=("--catalog", path))
    assert found.code == 1
    assert {one["stream"]: one["verdict"] for one in found.report["streams"]} == {"members": "equal", "lost": "unknown"}
    assert "run discovery again" not in found["members"]["notes"]


# What keeps it from comparing at all is one line


@pytest.fixture
def line(copper_account: Account) -> Iterator[object]:
    """Return what runs the audit, which must fail, and gives its one line."""

    def run(*arguments: str, config: str | None = None, inside: bool = True) -> str:
        found = run_audit("--config", config or copper_account.config, *arguments, inside=inside)
        assert found.code == 2, found.out
        assert found.out == ""
        lines = found.log.splitlines()
        assert len(lines) == 1, found.log
        assert lines[0].startswith("tap-crm-audit: ")
        return lines[0]

    return run  # type: ignore[return-value]


@pytest.mark.parametrize(
    ("address", "words"),
    [
        (
            "duckdb:///no/such/file",
            "there is no file no/such/file that `--database` could mean; an absolute path has four slashes",
        ),
        ("/no/such/file.duckdb", "there is no file /no/such/file.duckdb"),
        ("mysql://root:s3cret@host/db", "`--database` is no address that can be used"),
        ("duckdb:///", "`--database` is no address that can be used"),
        ("postgresql://user:s3cret/1@host/db", "cannot be read; in its user and password"),
        ("postgresql://user:12/s3cret@host/db", "cannot be read; in its user and password"),
        ("postgresql://user:s3cret@1@host/db", "cannot be read; in its user and password"),
        ("postgresql://user:s3cret@127.0.0.1:1/db", "PostgreSQL: connection failed"),
        ("postgresql://user@127.0.0.1:1/db?password=s3cret&no=s3cret", "PostgreSQL: invalid URI query parameter"),
    ],
)
def test_a_database_that_is_not_there(line: object, address: str, words: str) -> None:
    said = line("--database", address)  # type: ignore[operator]
    assert words in said
    assert "s3cret" not in said


@pytest.fixture
def refusing() -> Iterator[int]:
    """Serve a PostgreSQL that takes no password, and repeats it; gives its port."""
    fields = b'SFATAL\0C28P01\0Mpassword authentication failed for user "crm" (s3cret% / s3cret%25)\0\0'
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer() -> None:
            with listener.accept()[0] as connection:
                connection.recv(4096)
                connection.sendall(b"E" + (len(fields) + 4).to_bytes(4, "big") + fields)

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        thread.join(5)


def test_a_wrong_password_is_not_repeated(line: object, refusing: int) -> None:
    address = f"postgresql+psycopg2://crm:s3cret%25@127.0.0.1:{refusing}/db?sslmode=disable&gssencmode=disable"
    said = line("--database", f"{address}&connect_timeout=10")  # type: ignore[operator]
    assert 'password authentication failed for user "crm" ([hidden] / [hidden])' in said
    assert "s3cret" not in said


def test_a_file_that_a_loader_writes_to_or_that_is_no_database(
    line: object, database: DuckDbFile, tmp_path: Path
) -> None:
    with duckdb.connect(str(database.path)):
        said = line("--database", database.address, inside=False)  # type: ignore[operator]
    assert "another program is writing to it: try again when it is done" in said
    (tmp_path / "text.duckdb").write_text("no database" * 1000)
    assert "DuckDB cannot read" in line("--database", str(tmp_path / "text.duckdb"))  # type: ignore[operator]


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({"provider": "salesforce"}, "`provider` is not known"),
        ({"api_key": "wr0ngkey"}, "401"),
        ({"api_key": 12345}, "`api_key` must be text"),
        ({"api_url": "http://127.0.0.1:9", "retry_seconds": 0}, "no connection"),
        ({"tables": "x"}, "`tables` is text, but no JSON"),
    ],
)
def test_a_config_that_cannot_be_used(
    line: object, database: Loaded, copper_account: Account, config: dict[str, object], words: str
) -> None:
    path = copper_account.tap.write("config", {**copper_account.tap.config, **config})
    said = line("--database", database.address, config=path)  # type: ignore[operator]
    assert words in said
    assert "wr0ngkey" not in said


def test_files_and_names_that_cannot_be_used(
    line: object, database: Loaded, copper_account: Account, catalog: dict[str, Any], tmp_path: Path
) -> None:
    (tmp_path / "list.json").write_text("[1]")
    to = ("--database", database.address)
    assert "No such file or directory: nothing.json" in line(*to, config="nothing.json")  # type: ignore[operator]
    assert "list.json is no JSON object" in line(*to, config=str(tmp_path / "list.json"))  # type: ignore[operator]
    assert "`--catalog`" in line(*to, "--catalog", "nothing.json")  # type: ignore[operator]
    said = line(*to, "--streams", "people,peple")  # type: ignore[operator]
    assert "Copper has no stream peple; `--streams` takes of: account," in said
    nothing = copper_account.tap.write("catalog", selecting(catalog))
    assert "no stream is selected" in line(*to, "--catalog", nothing)  # type: ignore[operator]
    assert "no folder for the file" in line(*to, "--json", "no/such/folder/report.json")  # type: ignore[operator]


def test_a_report_that_cannot_be_written(database: Loaded, copper_account: Account, tmp_path: Path) -> None:
    arguments = ("--database", database.address, "--streams", "tags", "--json", str(tmp_path))
    found = run_audit("--config", copper_account.config, *arguments)
    assert found.code == 2
    assert found.log.startswith("tap-crm-audit: the report could not be written: Is a directory")


@pytest.mark.parametrize("arguments", [[], ["--database"], ["--bogus"], ["--database", "x.duckdb", "--limit", "-1"]])
def test_a_wrong_usage_is_told(arguments: list[str]) -> None:
    found = run_audit(*arguments)
    assert found.code == 2
    assert "Error: " in found.log
