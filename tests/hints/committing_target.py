"""A target that commits its rows to SQLite, then writes the STATE; it kills itself where it is told to.

    python -m tests.hints.committing_target --config CONFIG --input FILE

Every few lines it commits what it has, which is when a loader writes its STATE. ``KILL_AT=line:17`` kills it when it
has read 17 lines; ``before:3`` and ``after:3`` right before and after the third commit; ``stated:3`` after the third
STATE.
"""

from __future__ import annotations

import json
import os
import signal
import sqlite3
from collections import Counter
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

from singer_sdk import BatchSink, Target, typing
from singer_sdk.io_base import SingerReader
from typing_extensions import override

#: The variable that names a kind and a number.
KILL_AT = "KILL_AT"
#: The variable that names a file for the counts of all moments, if it comes to its end.
COUNTS_TO = "COUNTS_TO"
#: Lines between two commits.
EVERY = 6
COUNTS: Counter[str] = Counter()
_TABLE = "CREATE TABLE IF NOT EXISTS rows (stream TEXT, key TEXT, record TEXT, PRIMARY KEY (stream, key))"


class Reader(SingerReader):
    """Counts lines, and lets the target commit now and then."""

    target: CommittingTarget
    record: dict[str, Any]

    @override
    def deserialize_json(self, line: str) -> dict[str, Any]:
        """Read a line."""
        may_die("line")
        if COUNTS["line"] % EVERY == 0:
            self.target.drain_all()
            may_die("stated")
        self.record = json.loads(line).get("record", {})
        return super().deserialize_json(line)


class RowSink(BatchSink):
    """One row for each key, the last record of it, as it came."""

    def __init__(self, target: CommittingTarget, *others: Any, **named: Any) -> None:  # noqa: ANN401 - the SDK's own
        super().__init__(target, *others, **named)
        self._reader = target.reader

    @override
    def process_record(self, record: dict[str, Any], context: dict[str, Any]) -> None:
        """Keep a record until the next commit."""
        context.setdefault("records", []).append(self._reader.record)

    @override
    def process_batch(self, context: dict[str, Any]) -> None:
        """Commit rows."""
        rows = [
            (self.stream_name, json.dumps([one[name] for name in self.key_properties]), json.dumps(one))
            for one in context["records"]
        ]
        may_die("before")
        with closing(sqlite3.connect(self.config["path"])) as database, database:
            database.execute(_TABLE)
            database.executemany("INSERT OR REPLACE INTO rows VALUES (?, ?, ?)", rows)
        may_die("after")


class CommittingTarget(Target):
    """Takes what a tap writes."""

    name = "committing-target"
    config_jsonschema = typing.PropertiesList(typing.Property("path", typing.StringType, required=True)).to_dict()
    default_sink_class = RowSink
    message_reader_class = Reader

    def __init__(self, **settings: Any) -> None:  # noqa: ANN401 - the SDK's own
        super().__init__(**settings)
        self.reader.target = self
        self.max_parallelism = 1

    @property
    def reader(self) -> Reader:
        """What reads the lines."""
        assert isinstance(self.message_reader, Reader)
        return self.message_reader


def may_die(kind: str) -> None:
    """Count a moment of this process, and die if it is the one."""
    COUNTS[kind] += 1
    if os.environ.get(KILL_AT) == f"{kind}:{COUNTS[kind]}":
        os.kill(os.getpid(), signal.SIGKILL)


def rows_of(path: Path) -> dict[str, dict[str, dict[str, Any]]]:
    """Return the rows that were committed, by stream and key."""
    found: dict[str, dict[str, dict[str, Any]]] = {}
    with closing(sqlite3.connect(path)) as database:
        database.execute(_TABLE)
        for stream, key, record in database.execute("SELECT stream, key, record FROM rows"):
            found.setdefault(stream, {})[key] = json.loads(record, parse_float=Decimal)
    return found


if __name__ == "__main__":
    try:
        CommittingTarget.cli()
    finally:
        Path(os.environ[COUNTS_TO]).write_text(json.dumps(COUNTS), "utf-8")
