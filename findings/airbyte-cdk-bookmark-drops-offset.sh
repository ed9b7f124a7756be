#!/usr/bin/env bash
# airbyte-cdk 7.39.1 (a manifest and a local server written in this file), 2026-11-29
#
# One would guess: a cursor that reads times with offsets and keeps its state as UTC turns 12:00+05:00 into 07:00:00Z.
# What happens: the offset is read, but the state is written with the clock time of the record and the Z of the format:
#   12:00:00Z, five hours too late. The next read asks from there.
# Output seen (three reads, each COMPLETE): [1], [], [3]; asked since 2026-01-01T12:00:00Z; deal 2, changed at
#   09:00 UTC, is never read
# Why it matters: an API that answers in an account's own zone, east of Greenwich, loses the changes of some hours behind
#   each bookmark, in a stream whose state and requests look like UTC; west of it, rows are only read again.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv venv
venv/bin/pip install -q --disable-pip-version-check airbyte-cdk==7.39.1

cat > read.py <<'PY'
import http.server
import json
import logging
import threading
from datetime import datetime
from urllib.parse import parse_qs, urlsplit

from airbyte_cdk.models import (
    AirbyteStateMessage, AirbyteStream, ConfiguredAirbyteCatalog, ConfiguredAirbyteStream, DestinationSyncMode, SyncMode
)
from airbyte_cdk.sources.declarative.concurrent_declarative_source import ConcurrentDeclarativeSource

asked: list[str] = []
deals: list[dict[str, object]] = []

class Server(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        since = parse_qs(urlsplit(self.path).query)["since"][0]
        asked.append(since)
        moment = datetime.fromisoformat(since)
        answer = json.dumps([d for d in deals if datetime.fromisoformat(str(d["updated_at"])) >= moment]).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *args: object) -> None:
        pass

server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server)
threading.Thread(target=server.serve_forever, daemon=True).start()
base = {"url_base": f"http://127.0.0.1:{server.server_port}", "path": "/deals", "http_method": "GET"}
schema = {"type": "object", "properties": {"id": {"type": "integer"}, "updated_at": {"type": "string"}}}
cursor = {
    "type": "DatetimeBasedCursor", "cursor_field": "updated_at", "start_datetime": "2025-12-01T00:00:00Z",
    "cursor_datetime_formats": ["%Y-%m-%dT%H:%M:%S%z"], "datetime_format": "%Y-%m-%dT%H:%M:%SZ",
    "start_time_option": {"type": "RequestOption", "inject_into": "request_parameter", "field_name": "since"},
}
retriever = {
    "type": "SimpleRetriever", "requester": {"type": "HttpRequester", **base},
    "record_selector": {"type": "RecordSelector", "extractor": {"type": "DpathExtractor", "field_path": []}},
}
stream = {
    "type": "DeclarativeStream", "name": "deals", "primary_key": ["id"], "retriever": retriever,
    "incremental_sync": cursor, "schema_loader": {"type": "InlineSchemaLoader", "schema": schema},
}
manifest = {
    "version": "7.0.0", "type": "DeclarativeSource", "streams": [stream],
    "check": {"type": "CheckStream", "stream_names": ["deals"]},
    "spec": {"type": "Spec", "connection_specification": {"type": "object", "properties": {}}},
}
modes = [SyncMode.full_refresh, SyncMode.incremental]
described = AirbyteStream(name="deals", json_schema=schema, supported_sync_modes=modes)
catalog = ConfiguredAirbyteCatalog(streams=[ConfiguredAirbyteStream(
    stream=described, sync_mode=SyncMode.incremental, destination_sync_mode=DestinationSyncMode.append_dedup
)])
state: list[AirbyteStateMessage] = []
seen = []
for number, changed in enumerate(["01T12:00:00+05:00", "01T09:00:00+00:00", "02T09:00:00+00:00"], 1):
    deals.append({"id": number, "updated_at": f"2026-01-{changed}"})
    source = ConcurrentDeclarativeSource(catalog=catalog, config={}, state=state, source_config=manifest)
    messages = list(source.read(logging.getLogger("read"), {}, catalog, state))
    state = [[m.state for m in messages if m.state][-1]]
    ids = [m.record.data["id"] for m in messages if m.record]
    status = [m.trace.stream_status.status.value for m in messages if m.trace and m.trace.stream_status][-1]
    seen.append((asked[-1], ids, status))
    print(f"read {number}: since {asked[-1]}, deals {ids}, {status}")
late = "2026-01-01T12:00:00Z"
if seen != [("2025-12-01T00:00:00Z", [1], "COMPLETE"), (late, [], "COMPLETE"), (late, [3], "COMPLETE")]:
    print("changed: the bookmark is no longer the clock time without its offset")
    raise SystemExit(1)
PY
code=0
venv/bin/python read.py > out.txt || code=$?
grep -E '^(read|changed)' out.txt # the rest is the log of the CDK
exit "$code"
