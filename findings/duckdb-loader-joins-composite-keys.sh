#!/usr/bin/env bash
# target-duckdb 0.8.0 with duckdb 1.2.2, 2026-11-28
#
# One would guess: two records whose key (tag, member) differs are two rows; the table has PRIMARY KEY (tag, member).
# What happens: within a batch the loader tells records apart by the key's values joined with a comma. Two different
#   keys that read the same when joined are one record to it, and the later one replaces the earlier one.
# Output seen: exit 0, STATE printed, 1 of 2 rows: ('Press,Berlin', 'Rivera', 2)
# Why it matters: keys made of free text (tag and name, list and address) lose rows by what users type, and only when
#   both records fall into one batch, so that a second load may bring the row back or not.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv venv
venv/bin/pip install -q --disable-pip-version-check target-duckdb==0.8.0 duckdb==1.2.2

cat > input.jsonl <<'JSON'
{"type":"SCHEMA","stream":"tagged","key_properties":["tag","member"],"schema":{"type":"object","properties":{"tag":{"type":"string"},"member":{"type":"string"},"rank":{"type":"integer"}}}}
{"type":"RECORD","stream":"tagged","record":{"tag":"Press","member":"Berlin,Rivera","rank":1}}
{"type":"RECORD","stream":"tagged","record":{"tag":"Press,Berlin","member":"Rivera","rank":2}}
{"type":"STATE","value":{"bookmarks":{"tagged":{"done":true}}}}
JSON
echo '{"path": "crm.duckdb", "default_target_schema": "main"}' > config.json
venv/bin/target-duckdb --config config.json < input.jsonl > state.txt 2> log.txt

venv/bin/python - <<'PY'
import duckdb, sys
c = duckdb.connect("crm.duckdb")
rows = c.sql("SELECT tag, member, rank FROM tagged ORDER BY rank").fetchall()
print(f"exit 0, STATE {open('state.txt').read().strip()}, {len(rows)} of 2 rows: {rows}")
if rows != [("Press,Berlin", "Rivera", 2)]:
    print("changed: both records are stored now")
    sys.exit(1)
PY
