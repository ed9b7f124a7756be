#!/usr/bin/env bash
# airbyte-cdk 7.39.1 (a manifest and a local server written in this file), 2026-11-28
#
# One would guess: an answer with status 200 that is not JSON, such as a proxy's page for maintenance in place of page 2,
#   is asked for again, or fails the stream.
# What happens: the decoder logs an ERROR line and gives an empty page. A page shorter than page_size is the last one, so
#   the stream ends there, as COMPLETE, without page 3, and without a trace message of an error.
# Output seen: records [1, 2] of [1, 2, 3, 4, 5, 6], status COMPLETE, 2 requests, no error raised
# Why it matters: a source built from a manifest loses the rest of a list in a second's outage, and what replaces the
#   table (full refresh, overwrite) then deletes those rows downstream.
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
from urllib.parse import parse_qs, urlsplit

from airbyte_cdk.models import AirbyteStream, ConfiguredAirbyteCatalog, ConfiguredAirbyteStream, DestinationSyncMode, SyncMode
from airbyte_cdk.sources.declarative.concurrent_declarative_source import ConcurrentDeclarativeSource

asked: list[str] = []

class Server(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        asked.append(self.path)
        page = int(parse_qs(urlsplit(self.path).query).get("page", ["1"])[0])
        deals = [{"id": number} for number in range(1, 7)][(page - 1) * 2 : page * 2]
        answer = b"<html>Back in a minute</html>" if page == 2 else json.dumps({"data": deals}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *args: object) -> None:
        pass

server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server)
threading.Thread(target=server.serve_forever, daemon=True).start()
base = {"url_base": f"http://127.0.0.1:{server.server_port}", "path": "/deals", "http_method": "GET"}
schema = {"type": "object", "properties": {"id": {"type": "integer"}}}
token = {"type": "RequestOption", "inject_into": "request_parameter", "field_name": "page"}
strategy = {"type": "PageIncrement", "page_size": 2, "start_from_page": 1}
retriever = {
    "type": "SimpleRetriever",
    "requester": {"type": "HttpRequester", **base},
    "record_selector": {"type": "RecordSelector", "extractor": {"type": "DpathExtractor", "field_path": ["data"]}},
    "paginator": {"type": "DefaultPaginator", "pagination_strategy": strategy, "page_token_option": token},
}
stream = {
    "type": "DeclarativeStream", "name": "deals", "primary_key": ["id"], "retriever": retriever,
    "schema_loader": {"type": "InlineSchemaLoader", "schema": schema},
}
manifest = {
    "version": "7.0.0", "type": "DeclarativeSource", "streams": [stream],
    "check": {"type": "CheckStream", "stream_names": ["deals"]},
    "spec": {"type": "Spec", "connection_specification": {"type": "object", "properties": {}}},
}
described = AirbyteStream(name="deals", json_schema=schema, supported_sync_modes=[SyncMode.full_refresh])
catalog = ConfiguredAirbyteCatalog(streams=[ConfiguredAirbyteStream(
    stream=described, sync_mode=SyncMode.full_refresh, destination_sync_mode=DestinationSyncMode.overwrite
)])
source = ConcurrentDeclarativeSource(catalog=catalog, config={}, state=[], source_config=manifest)
messages = list(source.read(logging.getLogger("read"), {}, catalog, []))
ids = [m.record.data["id"] for m in messages if m.record]
status = [m.trace.stream_status.status.value for m in messages if m.trace and m.trace.stream_status][-1]
errors = [m for m in messages if m.trace and m.trace.error]
print(f"records {ids} of [1, 2, 3, 4, 5, 6], status {status}, {len(asked)} requests, {len(errors)} error messages")
if ids != [1, 2] or status != "COMPLETE" or errors:
    print("changed: a page that is not JSON no longer ends the stream as complete")
    raise SystemExit(1)
PY
code=0
venv/bin/python read.py > out.txt || code=$?
grep -E '^(records|changed)' out.txt # the rest is the log of the CDK
exit "$code"
