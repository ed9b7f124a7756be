#!/usr/bin/env bash
# dlt 1.31.0 with duckdb 2.0.1, 2026-11-28
#
# One would guess: two fields of a CRM whose names differ, such as a custom field "Deal Size" beside the built-in field
#   "deal_size", become two columns, or the load fails because both want the same name.
# What happens: names are normalised, both fields become the column deal_size, and within a record the later field
#   overwrites the earlier one. Nothing is logged, the load package completes.
# Output seen (exit 0): columns id, deal_size; rows [(1, 7), (2, 6), (3, 8)]; the 100 and the 5 are in no column
# Why it matters: users name custom fields as they like; which of two values survives depends on the order of keys in
#   the API's answer, and may change from one day to the next.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv venv
venv/bin/pip install -q --disable-pip-version-check 'dlt[duckdb]==1.31.0' duckdb==2.0.1
export RUNTIME__DLTHUB_TELEMETRY=false HOME="$dir"

cat > load.py <<'PY'
import dlt
import duckdb

deals = [
    {"id": 1, "Deal Size": 100, "deal_size": 7},
    {"id": 2, "dealSize": 5, "deal_size": 6},
    {"id": 3, "deal_size": 8},
]
pipeline = dlt.pipeline("crm", destination=dlt.destinations.duckdb("store.duckdb"), dataset_name="crm", pipelines_dir="work")
info = pipeline.run(deals, table_name="deals", primary_key="id", write_disposition="merge")
info.raise_on_failed_jobs()
c = duckdb.connect("store.duckdb")
columns = [row[0] for row in c.sql("DESCRIBE crm.deals").fetchall() if not row[0].startswith("_dlt")]
rows = c.sql("SELECT id, deal_size FROM crm.deals ORDER BY id").fetchall()
print(f"columns {', '.join(columns)}; rows {rows}")
if columns != ["id", "deal_size"] or rows != [(1, 7), (2, 6), (3, 8)]:
    print("changed: fields whose names normalise to one name no longer overwrite each other")
    raise SystemExit(1)
PY
venv/bin/python load.py
