#!/usr/bin/env bash
# dlt 1.31.0 with duckdb 2.0.1, 2026-11-28
#
# One would guess: an incremental cursor over times with UTC offsets compares moments; dlt knows the column as a
#   timestamp and stores it in UTC rightly.
# What happens: the cursor compares the text of the values. 12:00+05:00 is 07:00 UTC, but as text it is behind
#   "11:45Z" and "06:00-08:00" (14:00 UTC), so records that changed later are filtered out as old, in this run and
#   in every later one.
# Output seen (two runs, exit 0): rows 1 at 07:00 and 2 at 11:30; rows 3 (11:45 UTC) and 4 (14:00 UTC) are not there
# Why it matters: an API that answers in each user's own zone makes the newest changes vanish, with a green run.
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
def tasks(updated=dlt.sources.incremental("updated_at")):
    yield answer

pipeline = dlt.pipeline("crm", destination=dlt.destinations.duckdb("store.duckdb"), dataset_name="crm", pipelines_dir="work")
answer = [
    {"id": 1, "updated_at": "2026-01-01T12:00:00+05:00"},
    {"id": 2, "updated_at": "2026-01-01T11:30:00Z"},
]
pipeline.run(tasks()).raise_on_failed_jobs()
answer = [
    {"id": 3, "updated_at": "2026-01-01T11:45:00Z"},
    {"id": 4, "updated_at": "2026-01-01T06:00:00-08:00"},
]
pipeline.run(tasks()).raise_on_failed_jobs()

c = duckdb.connect("store.duckdb")
c.sql("SET TimeZone = 'UTC'")
rows = c.sql("SELECT id, strftime(updated_at, '%H:%M') FROM crm.tasks ORDER BY id").fetchall()
print(f"rows in UTC: {rows}")
if rows != [(1, "07:00"), (2, "11:30")]:
    print("changed: the later records 3 and 4 are no longer dropped")
    raise SystemExit(1)
PY
venv/bin/python load.py
