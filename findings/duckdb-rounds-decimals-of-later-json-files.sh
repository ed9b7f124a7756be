#!/usr/bin/env bash
# duckdb 1.2.2 and duckdb 2.0.0, 2026-11-28
#
# One would guess: read_json_auto over a folder of JSON lines files (one file a run, as file loaders write them) reads
#   every value, or raises where a later file does not fit the columns that it found.
# What happens: column types are taken from the first 32 files. An amount that is whole in those is an integer column,
#   and the decimals of every later file are rounded without an error, by both versions. A field that appears only in a
#   later file raises in 1.2.2 and is left out without an error in 2.0.0.
# Output seen (33 files with amount 100, then amount 0.49 and, in the same file, a record with a new field "owner"):
#   duckdb 1.2.2: amount 0.49 is read as 0; a new field: error
#   duckdb 2.0.0: amount 0.49 is read as 0; a new field: left out
# Why it matters: a lake that was right for a month goes wrong on the 33rd day, in money, with nothing in the log.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv venv

cat > read.py <<'PY'
import duckdb
import json
import pathlib

def lines(day, *records):
    pathlib.Path(f"deals-{day:03d}.jsonl").write_text("".join(json.dumps(r) + "\n" for r in records))

for day in range(33):
    lines(day, {"id": day, "amount": 100})
lines(33, {"id": 33, "amount": 0.49})
c = duckdb.connect()
amount = c.execute("SELECT amount FROM read_json_auto('deals-*.jsonl') WHERE id = 33").fetchall()[0][0]
lines(34, {"id": 34, "amount": 7, "owner": "user_a"})
try:
    found = c.execute("SELECT * FROM read_json_auto('deals-*.jsonl') WHERE id = 34").fetchall()[0]
    field = "left out" if "user_a" not in found else "read"
except duckdb.Error:
    field = "error"
print(f"duckdb {duckdb.__version__}: amount 0.49 is read as {amount}; a new field: {field}")
PY

for version in 1.2.2 2.0.0; do
  venv/bin/pip install -q --disable-pip-version-check "duckdb==$version"
  venv/bin/python read.py >> seen.txt
done
cat seen.txt
cat > expected.txt <<'TXT'
duckdb 1.2.2: amount 0.49 is read as 0; a new field: error
duckdb 2.0.0: amount 0.49 is read as 0; a new field: left out
TXT
if ! cmp -s seen.txt expected.txt; then
  echo "changed: decimals or fields of later files are read otherwise than described"
  exit 1
fi
