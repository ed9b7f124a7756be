#!/usr/bin/env bash
# singer-sdk 0.54.9 (a tap and a local server written in this file), 2026-11-28
#
# One would guess: a stream with a cursor is read until the API gives no next cursor. Cursor APIs that filter after they
#   have cut the page answer now and then with an empty page and a next cursor.
# What happens: the first page without records ends the stream, though next_page_token_jsonpath finds a cursor on it. The
#   run says so in an INFO line only, and moves the bookmark to the largest value seen, past the records never read.
# Output seen: exit 0, records [1, 9] of [1, 9, 5], bookmark 2026-01-09; record 5 is of 2026-01-05
# Why it matters: the rest of the stream is lost for this run and for all later ones, which begin behind it.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv venv
venv/bin/pip install -q --disable-pip-version-check singer-sdk==0.54.9

cat > tap.py <<'PY'
"""A tap that reads three pages of a local server."""
import http.server
import json
import threading
from urllib.parse import parse_qs, urlsplit

from singer_sdk import RESTStream, Tap
from singer_sdk import typing as th

def deal(day):
    return {"id": day, "updated_at": f"2026-01-{day:02d}T00:00:00+00:00"}

PAGES = {"first": ([deal(1), deal(9)], "second"), "second": ([], "third"), "third": ([deal(5)], None)}

class Server(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        data, following = PAGES[parse_qs(urlsplit(self.path).query).get("cursor", ["first"])[0]]
        answer = json.dumps({"data": data, "next_cursor": following}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *args):
        pass

server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server)
threading.Thread(target=server.serve_forever, daemon=True).start()

class Deals(RESTStream):
    name = "deals"
    path = "/deals"
    url_base = f"http://127.0.0.1:{server.server_port}"
    primary_keys = ("id",)
    replication_key = "updated_at"
    records_jsonpath = "$.data[*]"
    next_page_token_jsonpath = "$.next_cursor"
    schema = th.PropertiesList(
        th.Property("id", th.IntegerType), th.Property("updated_at", th.DateTimeType)
    ).to_dict()

    def get_url_params(self, context, next_page_token):
        return {"cursor": next_page_token} if next_page_token else {}

class DemoTap(Tap):
    name = "tap-demo"
    config_jsonschema = th.PropertiesList().to_dict()

    def discover_streams(self):
        return [Deals(self)]

DemoTap.cli()
PY
echo '{}' > config.json
venv/bin/python tap.py --config config.json > out.jsonl 2> log.txt

venv/bin/python - <<'PY'
import json, sys
lines = [json.loads(line) for line in open("out.jsonl")]
ids = [m["record"]["id"] for m in lines if m["type"] == "RECORD"]
state = [m["value"]["bookmarks"]["deals"] for m in lines if m["type"] == "STATE"][-1]
bookmark = state.get("replication_key_value", "")[:10]
print(f"exit 0, records {ids} of [1, 9, 5], bookmark {bookmark}")
if ids != [1, 9] or bookmark != "2026-01-09":
    print("changed: an empty page with a next cursor no longer ends the stream behind the bookmark")
    sys.exit(1)
PY
