"""Iceberg's REST catalog over pyiceberg's catalog in SQLite, with the tables in a folder: what a loader needs of it.

Run by a Python with pyiceberg: `python iceberg.py FOLDER`. It prints its port, and serves until it is ended. With
`--read FOLDER`, it prints the rows of all tables instead, as JSON lines: the table, then the row.
"""

from __future__ import annotations

import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from pyiceberg.catalog.rest import ConfigResponse, CreateTableRequest, NamespaceResponse, TableResponse
from pyiceberg.catalog.sql import SqlCatalog
from pyiceberg.exceptions import (
    CommitFailedException,
    NamespaceAlreadyExistsError,
    NoSuchTableError,
    TableAlreadyExistsError,
)
from pyiceberg.table import CommitTableRequest

if TYPE_CHECKING:
    from collections.abc import Callable

_CODES = {NoSuchTableError: 404, NamespaceAlreadyExistsError: 409, TableAlreadyExistsError: 409}
_CODES |= {CommitFailedException: 409}
#: What pyiceberg's model demands and its client leaves out.
_LEFT_OUT = {"location": None, "partition-spec": None, "write-order": None}


def catalog_of(folder: str) -> SqlCatalog:
    """Return the catalog of a folder."""
    return SqlCatalog("local", uri=f"sqlite:///{folder}/catalog.sqlite", warehouse=f"file://{folder}/tables")


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    catalog: SqlCatalog
    lock = threading.Lock()

    def log_message(self, *_: Any) -> None:  # noqa: ANN401
        """Say nothing."""

    def _answer(self, code: int, body: str) -> None:
        content = body.encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def do_GET(self) -> None:
        """Tell the configuration, or a table."""
        self._carry_out(self._told)

    def do_POST(self) -> None:
        """Make a namespace or a table, or commit to one."""
        self._carry_out(self._done)

    def _carry_out(self, what: Callable[[list[str], bytes], Any]) -> None:
        parts = [unquote(part) for part in urlsplit(self.path).path.split("/")[2:]]
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        try:
            with self.lock:
                answer = what(parts, body)
        except Exception as error:  # noqa: BLE001 - each is told to the one who asked
            code = _CODES.get(type(error), 500)
            told = {"message": str(error), "type": type(error).__name__, "code": code}
            self._answer(code, json.dumps({"error": told}))
        else:
            self._answer(200, answer.model_dump_json(by_alias=True))

    def _told(self, parts: list[str], _: bytes) -> Any:  # noqa: ANN401 - a model of pyiceberg
        if parts == ["config"]:
            return ConfigResponse(defaults={}, overrides={})
        return _described(self.catalog.load_table((parts[1], parts[3])))

    def _done(self, parts: list[str], body: bytes) -> Any:  # noqa: ANN401 - a model of pyiceberg
        asked = json.loads(body)
        if parts == ["namespaces"]:
            name = tuple(asked["namespace"])
            self.catalog.create_namespace(name)
            return NamespaceResponse(namespace=name, properties={})
        if len(parts) == 3:  # noqa: PLR2004 - namespaces, its name, tables
            new = CreateTableRequest.model_validate({**_LEFT_OUT, **asked})
            name = (parts[1], new.name)
            return _described(self.catalog.create_table(name, schema=new.table_schema, properties=new.properties))
        commit = CommitTableRequest.model_validate_json(body)
        table = self.catalog.load_table((parts[1], parts[3]))
        return self.catalog.commit_table(table, commit.requirements, commit.updates)


def _described(table: Any) -> TableResponse:  # noqa: ANN401 - of pyiceberg
    return TableResponse(metadata=table.metadata, metadata_location=table.metadata_location, config={})


def show(folder: str) -> None:
    """Print the rows of all tables, those of the last batch last."""
    catalog = catalog_of(folder)
    for (namespace,) in catalog.list_namespaces():
        for name in catalog.list_tables(namespace):
            rows = catalog.load_table(name).scan().to_arrow().to_pylist()
            for row in sorted(rows, key=lambda one: str(one.get("_sdc_batched_at"))):
                print(json.dumps([name[-1], row], default=str))


if __name__ == "__main__":
    if sys.argv[1] == "--read":
        show(sys.argv[2])
    else:
        _Handler.catalog = catalog_of(sys.argv[1])
        server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        print(server.server_address[1], flush=True)
        server.serve_forever()
