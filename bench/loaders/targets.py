"""The loaders that are tried: what is installed, how each is configured, and how what it holds is read."""

from __future__ import annotations

import csv
import json
import subprocess
from collections import defaultdict
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any, TypeAlias

import duckdb
import psycopg
from psycopg.rows import dict_row

from bench.loaders import object_store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from contextlib import AbstractContextManager
    from pathlib import Path

    from bench.loaders.account import Record

Tables: TypeAlias = "Mapping[str, list[Record]]"

SCHEMA = "crm"
_NAMED = "{stream_name}-{timestamp}.csv"
_PARQUET_FORMAT = {"format_type": "parquet", "format_parquet": {"get_schema_from_tap": True}}


@dataclass(frozen=True)
class Place:
    """Where a loader loads.

    Attributes:
        config: of the loader.
        read: returns the rows of each table, the latest of a key last.
    """

    config: dict[str, Any]
    read: Callable[[Iterable[str]], Tables]


@dataclass(frozen=True)
class Loader:
    """A loader.

    Attributes:
        name: what it is called here.
        packages: what is installed.
        command: what is run.
        title: for people.
        place: makes a place to load into: from a folder, and the loader's Python.
        tap: settings of the tap that it needs.
        advice: the settings that matter, for people.
        extra: the loader's own settings, beside those of the place.
        variables: of its environment.
        large: whether it is given numbers that a double does not hold; some stop at them.
        server: the server that it needs and that is not had here: it is installed, and not tried.
    """

    name: str
    packages: tuple[str, ...]
    command: str
    title: str
    place: Callable[[Path, Path], AbstractContextManager[Place]]
    tap: Mapping[str, Any] = field(default_factory=dict)
    advice: str = ""
    extra: Mapping[str, Any] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)
    large: bool = True
    server: str = ""


# Places


@contextmanager
def _postgres(_: Path, __: Path) -> Iterator[Place]:
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
def _duckdb(folder: Path, _: Path) -> Iterator[Place]:
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
def _json_lines(folder: Path, _: Path) -> Iterator[Place]:
    def read(streams: Iterable[str]) -> Tables:
        return {
            stream: [
                json.loads(line, parse_float=Decimal)
                for file in sorted(folder.glob(f"{stream}-*.jsonl"))
                for line in file.read_text("utf-8").splitlines()
            ]
            for stream in streams
        }

    yield Place({"destination_path": str(folder), "do_timestamp_file": True}, read)


@contextmanager
def _csv(folder: Path, _: Path) -> Iterator[Place]:
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


_PARQUET = """
import json, sys, pyarrow.parquet
for path in sys.argv[1:]:
    for row in pyarrow.parquet.read_table(path).to_pylist():
        print(json.dumps(row, default=str))
"""


@contextmanager
def _parquet(folder: Path, python: Path) -> Iterator[Place]:
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
def _sqlite(folder: Path, _: Path) -> Iterator[Place]:
    yield Place({"database": str(folder / "loaded.sqlite")}, lambda _: {})


_POSTGRES = {"load_method": "upsert", "activate_version": True, "hard_delete": False, "validate_records": False}
_FREE = {"free_objects": "text"}
_NESTED = {"nested_values": "text"}
_LINES = {**_FREE, "missing_properties": "null"}
_PLAIN = {"activate_versions": False}
LOADERS: tuple[Loader, ...] = (
    Loader(
        "postgres",
        ("meltanolabs-target-postgres==0.8.1",),
        "target-postgres",
        "target-postgres by COPY (Meltano)",
        _postgres,
        extra={**_POSTGRES, "use_copy": True},
        advice="as in `meltano.yml`",
    ),
    Loader(
        "postgres-insert",
        ("meltanolabs-target-postgres==0.8.1",),
        "target-postgres",
        "target-postgres by INSERT (Meltano)",
        _postgres,
        extra={**_POSTGRES, "use_copy": False},
        variables={"PGTZ": "UTC"},
        advice="`use_copy: false`, and `PGTZ=UTC` in its environment: else times are stored in the server's zone",
    ),
    Loader(
        "postgres-text",
        ("meltanolabs-target-postgres==0.8.1",),
        "target-postgres",
        "target-postgres by COPY, objects and arrays as JSON text",
        _postgres,
        tap=_NESTED,
        extra={**_POSTGRES, "use_copy": True},
        advice="as in `meltano.yml`; tap: `nested_values: text`; half the CPU, and columns of type `text`",
    ),
    Loader(
        "duckdb",
        ("target-duckdb==0.8.0", "duckdb==1.2.2"),
        "target-duckdb",
        "target-duckdb",
        _duckdb,
        extra={"add_metadata_columns": True, "batch_size_rows": 20_000},
        advice="as in `meltano.yml`; `duckdb==1.2.2` beside it",
    ),
    Loader(
        "jsonl",
        ("target-jsonl==0.1.4",),
        "target-jsonl",
        "target-jsonl",
        _json_lines,
        advice="as in `meltano.yml`; the last line of a key counts",
    ),
    Loader(
        "csv",
        ("meltanolabs-target-csv==0.5.0",),
        "target-csv",
        "target-csv (Meltano)",
        _csv,
        tap=_LINES,
        extra={"file_naming_scheme": _NAMED},
        advice="`file_naming_scheme` with `{timestamp}`, or the next run replaces the file; tap: "
        "`free_objects: text`, `missing_properties: null`",
    ),
    Loader(
        "csv-singer",
        ("target-csv==0.3.0", "setuptools==80.9.0"),
        "target-csv",
        "target-csv (Singer)",
        _csv,
        tap={**_LINES, **_PLAIN},
        advice="tap: `free_objects: text`, `missing_properties: null`, `activate_versions: false`",
    ),
    Loader(
        "parquet",
        ("plinxore-target-s3==0.1.7",),
        "target-s3",
        "target-s3 as Parquet (plinxore)",
        _parquet,
        tap=_FREE,
        extra={"format": _PARQUET_FORMAT},
        large=False,
        advice="tap: `free_objects: text`; it stops at whole numbers beyond 2^53 in columns of "
        "numbers, which were left out here: make such columns text by the extractor's `schema`",
    ),
    Loader(
        "postgres-pipelinewise",
        ("pipelinewise-target-postgres==2.1.2",),
        "target-postgres",
        "target-postgres (PipelineWise)",
        _postgres,
        extra={"add_metadata_columns": True, "hard_delete": False},
        advice="`add_metadata_columns: true`",
    ),
    Loader("sqlite", ("target-sqlite==0.2.0",), "target-sqlite", "target-sqlite", _sqlite, tap=_PLAIN),
)
