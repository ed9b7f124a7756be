"""Where loaders load: the config of each place, and how what a loader holds there is read."""

from __future__ import annotations

import csv
import json
import subprocess
from collections import defaultdict
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import duckdb
import psycopg
import requests
from psycopg.rows import dict_row

from bench.loaders import object_store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from bench.loaders.account import Record

Tables: TypeAlias = "Mapping[str, list[Record]]"

SCHEMA = "crm"
#: In a config, stands for the number of the run.
RUN = "{run}"
SERVERS = Path(__file__).parent / "servers"


@dataclass(frozen=True)
class Place:
    """Where a loader loads.

    Attributes:
        config: of the loader.
        read: returns the rows of each table, the latest of a key last.
    """

    config: dict[str, Any]
    read: Callable[[Iterable[str]], Tables]


@contextmanager
def postgres_server(_: Path, __: Path) -> Iterator[Place]:
    """Give a PostgreSQL server."""
    from tests.postgres import serving  # noqa: PLC0415 - starts a server

    with serving() as server:
        url = server.create()

        def read(streams: Iterable[str]) -> Tables:
            with psycopg.connect(url, row_factory=dict_row) as connection:
                known = {row["table_name"] for row in connection.execute(_NAMES.encode()).fetchall()}
                return {one: connection.execute(_all(one).encode()).fetchall() for one in streams if one in known}

        with psycopg.connect(url) as connection:
            host, name, user = connection.info.host, connection.info.dbname, connection.info.user
        yield Place(
            {
                "sqlalchemy_url": url.replace("postgresql://", "postgresql+psycopg://", 1),
                "default_target_schema": SCHEMA,
                "host": host,
                "port": 5432,
                "user": user,
                "password": "unused",
                "dbname": name,
            },
            read,
        )


_NAMES = f"SELECT table_name FROM information_schema.tables WHERE table_schema = '{SCHEMA}'"  # noqa: S608 - a name of ours


def _all(table: str) -> str:
    return f'SELECT * FROM {SCHEMA}."{table}"'  # noqa: S608 - names of ours


@contextmanager
def duckdb_file(folder: Path, _: Path) -> Iterator[Place]:
    """Give a database file."""
    file = str(folder / "loaded.duckdb")

    def read(streams: Iterable[str]) -> Tables:
        with duckdb.connect(file, read_only=True) as connection:
            known = {row[0] for row in connection.execute(_NAMES).fetchall()}
            return {one: _rows(connection.execute(_all(one))) for one in streams if one in known}

    yield Place({"path": file, "default_target_schema": SCHEMA}, read)


def _rows(answer: Any) -> list[Record]:  # noqa: ANN401 - of any duckdb
    names = [column[0] for column in answer.description]
    return [dict(zip(names, row, strict=True)) for row in answer.fetchall()]


@contextmanager
def json_lines(folder: Path, _: Path) -> Iterator[Place]:
    """Give a folder for JSON lines."""

    def read(streams: Iterable[str]) -> Tables:
        return {
            stream: [row for file in sorted(folder.glob(f"{stream}-*.jsonl")) for row in _json_rows(file)]
            for stream in streams
        }

    yield Place({"destination_path": str(folder), "do_timestamp_file": True}, read)


def _json_rows(file: Path) -> list[Record]:
    return [json.loads(line, parse_float=Decimal) for line in file.read_text("utf-8").split("\n") if line]


@contextmanager
def csv_lines(folder: Path, _: Path) -> Iterator[Place]:
    """Give a folder for CSV."""

    def read(streams: Iterable[str]) -> Tables:
        found: dict[str, list[Record]] = {}
        for stream in streams:
            files = [*folder.glob(f"{stream}.csv"), *sorted(folder.glob(f"{stream}-*.csv"))]
            found[stream] = [row for file in files for row in _csv_rows(file)]
        return found

    yield Place({"output_path": str(folder), "destination_path": str(folder)}, read)


def _csv_rows(file: Path) -> list[Record]:
    with file.open(encoding="utf-8", newline="") as lines:
        return [dict(row) for row in csv.DictReader(lines)]


def _lines_of_runs(folder: Path, name: str) -> Iterator[Path]:
    yield from (file for run in sorted(folder.glob("run-*")) for file in run.glob(name))


@contextmanager
def universal_files(folder: Path, _: Path) -> Iterator[Place]:
    """Give a folder for each run: the loader writes its files anew in each."""

    def read(streams: Iterable[str]) -> Tables:
        found: dict[str, list[Record]] = {}
        for stream in streams:
            found[stream] = [row for file in _lines_of_runs(folder, f"{stream}.csv") for row in _csv_rows(file)]
            found[stream] += [row for file in _lines_of_runs(folder, f"{stream}.jsonl") for row in _json_rows(file)]
        return found

    yield Place({"protocol": "local", "path": f"{folder}/run-{RUN}"}, read)


_PARQUET = """
import json, sys, pyarrow.parquet
for path in sys.argv[1:]:
    for row in pyarrow.parquet.read_table(path).to_pylist():
        print(json.dumps(row, default=str))
"""


@contextmanager
def parquet_objects(folder: Path, python: Path) -> Iterator[Place]:
    """Give an object store."""
    with object_store.serving() as (url, objects):

        def read(_: Iterable[str]) -> Tables:
            found: defaultdict[str, list[Record]] = defaultdict(list)
            for number, (path, body) in enumerate(objects.items()):
                file = folder / f"{number}.parquet"
                file.write_bytes(body)
                shown = subprocess.run([python, "-c", _PARQUET, file], check=True, stdout=subprocess.PIPE).stdout
                found[path.split("/")[3]] += [json.loads(line, parse_float=Decimal) for line in shown.splitlines()]
            return found

        aws = {"aws_access_key_id": "a", "aws_secret_access_key": "b", "aws_region": "us-east-1"}
        aws |= {"aws_bucket": "bucket", "aws_endpoint_override": url}
        yield Place(
            {
                "cloud_provider": {"cloud_provider_type": "aws", "aws": aws},
                "prefix": "crm",
            },
            read,
        )


@contextmanager
def sqlite_file(folder: Path, _: Path) -> Iterator[Place]:
    """Give a database file."""
    yield Place({"database": str(folder / "loaded.sqlite")}, lambda _: {})


@contextmanager
def clickhouse_engine(folder: Path, python: Path) -> Iterator[Place]:
    """Give ClickHouse's engine behind its HTTP interface."""
    with _served("clickhouse", folder, python) as port:

        def ask(statement: str) -> list[Record]:
            done = requests.post(f"http://127.0.0.1:{port}/", data=f"{statement} FORMAT JSONEachRow", timeout=60)
            done.raise_for_status()
            return [json.loads(line, parse_float=Decimal) for line in done.text.split("\n") if line]

        def read(streams: Iterable[str]) -> Tables:
            known = {row["name"] for row in ask("SELECT name FROM system.tables WHERE database = 'default'")}
            return {one: ask(f'SELECT * FROM "{one}" FINAL {_EXACT}') for one in streams if one in known}  # noqa: S608

        config = {"driver": "http", "host": "127.0.0.1", "port": int(port), "database": "default", "password": ""}
        yield Place(config, read)


_EXACT = "SETTINGS output_format_json_quote_64bit_integers = 0"


@contextmanager
def iceberg_catalog(folder: Path, python: Path) -> Iterator[Place]:
    """Give a REST catalog of Iceberg, and a folder for its tables."""
    with _served("iceberg", folder, python) as port:

        def read(_: Iterable[str]) -> Tables:
            found: defaultdict[str, list[Record]] = defaultdict(list)
            command: list[str | Path] = [python, SERVERS / "iceberg.py", "--read", folder]
            for line in subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout.splitlines():
                table, row = json.loads(line, parse_float=Decimal)
                found[table].append(row)
            return found

        yield Place(
            {
                "catalog_mode": "glue_rest",
                "glue_uri": f"http://127.0.0.1:{port}",
                "glue_warehouse": "000000000000:s3tablescatalog/crm",
                "region": "us-east-1",
                "namespace": SCHEMA,
                "sigv4_enabled": False,
            },
            read,
        )


@contextmanager
def _served(name: str, folder: Path, python: Path) -> Iterator[str]:
    """Run one of the servers; give its port."""
    command = [python, SERVERS / f"{name}.py", folder]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        try:
            yield (server.stdout.readline() if server.stdout else "").strip()
        finally:
            server.terminate()
