#!/usr/bin/env bash
# dlt 1.31.0 with duckdb 2.0.1, 2026-11-28
#
# One would guess: a merge on the primary key with an inclusive cursor picks up a record that changed again at the same
#   cursor value: it is read again, and merged.
# What happens: the primary keys of the records at the last cursor value are kept in the state, and a record with one of
#   these keys and the same cursor value is dropped before the merge, whatever its other fields say now.
# Output seen (two runs, exit 0): [(1, 'open'), (2, 'new')], though the second answer says that deal 1 is won
# Why it matters: many CRMs keep changes by the second or the day; the last state of a record is lost until somebody
#   touches it again.
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

answer: list[dict[str, object]] = []

@dlt.resource(primary_key="id", write_disposition="merge")
def deals(updated=dlt.sources.incremental("updated_on")):
    yield answer

pipeline = dlt.pipeline("crm", destination=dlt.destinations.duckdb("store.duckdb"), dataset_name="crm", pipelines_dir="work")
answer = [{"id": 1, "updated_on": 20260105, "stage": "open"}]
pipeline.run(deals()).raise_on_failed_jobs()
answer = [{"id": 1, "updated_on": 20260105, "stage": "won"}, {"id": 2, "updated_on": 20260105, "stage": "new"}]
pipeline.run(deals()).raise_on_failed_jobs()

c = duckdb.connect("store.duckdb")
rows = c.sql("SELECT id, stage FROM crm.deals ORDER BY id").fetchall()
print(rows)
if rows != [(1, "open"), (2, "new")]:
    print("changed: the second change at one cursor value is loaded now")
    raise SystemExit(1)
PY
venv/bin/python load.py
