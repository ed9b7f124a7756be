"""The loaders that are tried: what is installed, and how each is configured."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bench.loaders import places

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextlib import AbstractContextManager
    from pathlib import Path

    from bench.loaders.places import Place

_NAMED = "{stream_name}-{timestamp}.csv"
_PARQUET_FORMAT = {"format_type": "parquet", "format_parquet": {"get_schema_from_tap": True}}


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


_POSTGRES = {"load_method": "upsert", "activate_version": True, "hard_delete": False, "validate_records": False}
_FREE = {"free_objects": "text"}
_NESTED = {"nested_values": "text"}
_LINES = {**_NESTED, "missing_properties": "null"}
_PLAIN = {"activate_versions": False}
_DUCKDB = {
    "add_metadata_columns": True,
    "batch_size_rows": 10_000,
    "settings": {"threads": 1, "checkpoint_threshold": "256MB"},
}
LOADERS: tuple[Loader, ...] = (
    Loader(
        "postgres",
        ("meltanolabs-target-postgres==0.8.1",),
        "target-postgres",
        "target-postgres by COPY (Meltano)",
        places.postgres_server,
        extra={**_POSTGRES, "use_copy": True},
        advice="as in `meltano.yml`",
    ),
    Loader(
        "postgres-insert",
        ("meltanolabs-target-postgres==0.8.1",),
        "target-postgres",
        "target-postgres by INSERT (Meltano)",
        places.postgres_server,
        extra={**_POSTGRES, "use_copy": False},
        variables={"PGTZ": "UTC"},
        advice="`use_copy: false`, and `PGTZ=UTC` in its environment: else times are stored in the server's zone",
    ),
    Loader(
        "postgres-text",
        ("meltanolabs-target-postgres==0.8.1",),
        "target-postgres",
        "target-postgres by COPY, objects and arrays as JSON text",
        places.postgres_server,
        tap=_NESTED,
        extra={**_POSTGRES, "use_copy": True},
        advice="as in `meltano.yml`; tap: `nested_values: text`; half the CPU, and columns of type `text`",
    ),
    Loader(
        "duckdb",
        ("target-duckdb==0.8.0", "duckdb==1.2.2"),
        "target-duckdb",
        "target-duckdb",
        places.duckdb_file,
        extra=_DUCKDB,
        advice="as in `meltano.yml`; `duckdb==1.2.2` beside it; names of columns are in lower case",
    ),
    Loader(
        "jsonl",
        ("target-jsonl==0.1.4",),
        "target-jsonl",
        "target-jsonl",
        places.json_lines,
        advice="as in `meltano.yml`; the last line of a key counts",
    ),
    Loader(
        "csv",
        ("meltanolabs-target-csv==0.5.0",),
        "target-csv",
        "target-csv (Meltano)",
        places.csv_lines,
        tap=_LINES,
        extra={"file_naming_scheme": _NAMED},
        advice="as in `meltano.yml`; `file_naming_scheme` with `{timestamp}`, or the next run replaces the file; tap: "
        "`nested_values: text`, `missing_properties: null`",
    ),
    Loader(
        "csv-singer",
        ("target-csv==0.3.0", "setuptools==80.9.0"),
        "target-csv",
        "target-csv (Singer)",
        places.csv_lines,
        tap={**_LINES, **_PLAIN},
        advice="tap: `nested_values: text`, `missing_properties: null`, `activate_versions: false`",
    ),
    Loader(
        "parquet",
        ("plinxore-target-s3==0.1.7",),
        "target-s3",
        "target-s3 as Parquet (plinxore)",
        places.parquet_objects,
        tap=_FREE,
        extra={"format": _PARQUET_FORMAT},
        large=False,
        advice="in `meltano.yml`; tap: `free_objects: text`; it stops at whole numbers beyond 2^53 in columns of "
        "numbers, which were left out here: make such columns text by the extractor's `schema`",
    ),
    Loader(
        "postgres-pipelinewise",
        ("pipelinewise-target-postgres==2.1.2",),
        "target-postgres",
        "target-postgres (PipelineWise)",
        places.postgres_server,
        extra={"add_metadata_columns": True, "hard_delete": False},
        advice="`add_metadata_columns: true`",
    ),
    Loader(
        "iceberg",
        ("target-s3tables==0.0.6",),
        "target-s3tables",
        "target-s3tables: Iceberg by a REST catalog",
        places.iceberg_catalog,
        tap=_FREE,
        extra={"sanitize_names": False, "add_record_metadata": True, "evolve_schema": True},
        advice="in `meltano.yml`; tap: `free_objects: text`, else such objects become maps of texts; "
        "`add_record_metadata: true`, since rows are only added: the last `_sdc_batched_at` of a key counts; tried "
        "with a REST catalog over SQLite and a folder, by `glue_uri` and `sigv4_enabled: false`; pyiceberg "
        "stores null as an empty list where objects are listed",
    ),
    Loader(
        "clickhouse",
        ("shaped-target-clickhouse==0.2.5", "chdb==4.4.0", "setuptools==80.9.0"),
        "target-clickhouse",
        "target-clickhouse (Shaped)",
        places.clickhouse_engine,
        extra={"engine_type": "ReplacingMergeTree", "add_record_metadata": True},
        advice="`engine_type: ReplacingMergeTree`, and `SELECT ... FINAL`, else each load of a row is a row; "
        "`add_record_metadata: true`, else nothing is marked; never `hard_delete: true`, which removes rows of the "
        "same run; `password` must be given; tried with ClickHouse 26.9 as the package `chdb` has it, behind its HTTP "
        "interface; numbers have 32 bits, columns are not nullable",
    ),
    Loader(
        "universal-csv",
        ("target-universal-file==0.0.1",),
        "target-universal-file",
        "target-universal-file as CSV",
        places.universal_files,
        tap=_LINES,
        extra={"file_type": "csv"},
        advice="a `path` of its own for each run, or the next run replaces the files; tap: `nested_values: text`, "
        "`missing_properties: null`",
    ),
    Loader(
        "universal-jsonl",
        ("target-universal-file==0.0.1",),
        "target-universal-file",
        "target-universal-file as JSON lines",
        places.universal_files,
        extra={"file_type": "jsonl"},
        advice="it turns times into objects that it cannot write; take `target-jsonl`",
    ),
    Loader(
        "universal-parquet",
        ("target-universal-file==0.0.1",),
        "target-universal-file",
        "target-universal-file as Parquet",
        places.universal_files,
        tap=_NESTED,
        extra={"file_type": "parquet"},
        advice="it takes no type that may be null; tap: `nested_values: text`, which does not help here",
    ),
    Loader(
        "mysql",
        ("thk-target-mysql==0.1.3",),
        "target-mysql",
        "target-mysql (thk)",
        places.sqlite_file,
        advice="it wants Python 3.11.0 at most. Where that was passed over, it stopped in MariaDB 10.11: each text is "
        "a `VARCHAR(1000)`, and a key of two of them is longer than an index may be",
    ),
    Loader(
        "mysql-singer",
        ("singer-target-mysql==0.0.2",),
        "target-mysql",
        "target-mysql (Singer)",
        places.sqlite_file,
        advice="so does `target-mysql==0.8.0`",
    ),
    Loader("sqlite", ("target-sqlite==0.2.0",), "target-sqlite", "target-sqlite", places.sqlite_file, tap=_PLAIN),
)
