#!/usr/bin/env bash
# tap-jsonl 0.3.1 with singer-sdk 0.53.7, target-duckdb 0.8.0 with duckdb 1.2.2, 2026-11-28
#
# One would guess: a stream map that computes a number of a number, `cents / 100` with `cents` an integer, makes a
#   property that is declared as a number; or it is refused.
# What happens: the tap declares the property as text, and writes numbers under it. The loader makes a text column, and
#   stores the numbers as text. What is computed is declared as a number only if it begins with `int(` or `float(`.
# Output seen (exit 0): SCHEMA ['string', 'null'], RECORD 9.0, 1000.0, 25.0; column VARCHAR, max(amount) '9.0'
# Why it matters: the values look right in every row, and what is computed of them is wrong: the largest of 9, 1000 and
#   25 is 9, and a sort or a comparison goes by characters.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv tap
python3 -m venv target
tap/bin/pip install -q --disable-pip-version-check tap-jsonl==0.3.1 singer-sdk==0.53.7
target/bin/pip install -q --disable-pip-version-check target-duckdb==0.8.0 duckdb==1.2.2

cat > deals.jsonl <<'JSON'
{"id": 1, "cents": 900}
{"id": 2, "cents": 100000}
{"id": 3, "cents": 2500}
JSON
cat > tap.json <<'JSON'
{"path": "deals.jsonl", "stream_name": "deals", "primary_keys": ["id"], "stream_maps": {"deals": {"amount": "cents / 100"}}}
JSON
echo '{"path": "crm.duckdb", "default_target_schema": "main"}' > target.json
tap/bin/tap-jsonl --config tap.json > messages.jsonl 2> tap.log
target/bin/target-duckdb --config target.json < messages.jsonl > state.txt 2> target.log

target/bin/python - <<'PY'
import json
import duckdb

messages = [json.loads(line) for line in open("messages.jsonl")]
declared = next(one["schema"]["properties"]["amount"]["type"] for one in messages if one["type"] == "SCHEMA")
values = [one["record"]["amount"] for one in messages if one["type"] == "RECORD"]
connection = duckdb.connect("crm.duckdb")
stored = connection.sql("SELECT typeof(max(amount)), max(amount) FROM deals").fetchall()
print(f"SCHEMA {declared}, RECORD {values}; stored {stored}")
if (sorted(declared), values, stored) != (["null", "string"], [9.0, 1000.0, 25.0], [("VARCHAR", "9.0")]):
    print("changed: the number is declared or stored as a number now")
    raise SystemExit(1)
PY
