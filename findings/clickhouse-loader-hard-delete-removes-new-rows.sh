#!/usr/bin/env bash
# shaped-target-clickhouse 0.2.5 into ClickHouse 26.9.2.1 (the engine of chdb 4.4.0 behind its HTTP interface), 2026-11-29
#
# One would guess: with hard_delete, ACTIVATE_VERSION removes the rows of earlier versions, and keeps those of the one that
#   it names.
# What happens: the statement is DELETE WHERE _sdc_table_version <= the new version. What was flushed before the message
#   goes, also where it is of the new version: batches have 10,000 rows. What still waits is inserted afterwards.
# Output seen: 12,000 rows of version 2 written, exit 0, STATE printed, 2,000 rows in the table
# Why it matters: a table below 10,000 rows is right each night, and the night it grows beyond that it loses all but its
#   last batch, with a green run.
set -eu
dir=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server"; rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv venv
venv/bin/pip install -q --disable-pip-version-check shaped-target-clickhouse==0.2.5 chdb==4.4.0 setuptools==80.9.0

cat > server.py <<'PY'
import http.server
import pathlib
import threading
import urllib.parse

from chdb.session import Session

session, lock = Session("data"), threading.Lock()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        pass

    def do_POST(self) -> None:
        query = urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query)
        text = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        with lock:
            answer = session.query(text, query.get("default_format", ["TabSeparated"])[0]).bytes() or b""
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
pathlib.Path("port.new").write_text(str(server.server_address[1]))
pathlib.Path("port.new").rename("port")
server.serve_forever()
PY
cat > load.py <<'PY'
import json
import pathlib
import subprocess
import time
import urllib.request

port = int(pathlib.Path("port").read_text())
config = {"driver": "http", "host": "127.0.0.1", "port": port, "database": "default", "password": ""}
pathlib.Path("config.json").write_text(json.dumps(config | {"add_record_metadata": True, "hard_delete": True}))
schema = {"type": "object", "properties": {"id": {"type": "integer"}}}
messages = [{"type": "SCHEMA", "stream": "people", "key_properties": ["id"], "schema": schema}]
messages += [{"type": "RECORD", "stream": "people", "record": {"id": n}, "version": 2} for n in range(12_000)]
messages += [{"type": "ACTIVATE_VERSION", "stream": "people", "version": 2}, {"type": "STATE", "value": {"done": True}}]
done = subprocess.run(
    ["venv/bin/target-clickhouse", "--config", "config.json"],
    input="\n".join(map(json.dumps, messages)), capture_output=True, text=True, check=False,
)


def ask(text: str) -> int:
    return int(urllib.request.urlopen(f"http://127.0.0.1:{port}/", data=text.encode()).read())


for _ in range(60):  # ClickHouse carries out a DELETE in the background
    if not ask("SELECT count() FROM system.mutations WHERE NOT is_done"):
        break
    time.sleep(0.5)
rows = ask("SELECT count() FROM people")
print(f"12,000 rows of version 2 written, exit {done.returncode}, STATE {done.stdout.strip()}, {rows:,} rows in the table")
if done.returncode or rows != 2_000:
    print("changed: rows of the version that is activated stay")
    raise SystemExit(1)
PY
venv/bin/python server.py &
server=$!
until [ -e port ]; do sleep 0.2; done
venv/bin/python load.py
