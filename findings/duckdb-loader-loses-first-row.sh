#!/usr/bin/env bash
# target-duckdb 0.8.0 with duckdb 1.2.2 and with duckdb 2.0.0, 2026-11-28
#
# One would guess: a loader that exits 0 and prints STATE has stored every record.
# What happens: the loader writes each batch to a CSV file without a heading and hands it to DuckDB's COPY, which guesses
#   whether the first line is a heading. Where all columns are text, it says yes: the first record of EACH batch is lost.
#   duckdb 2.0.0 (what pip picks for this loader) loses it also where the other columns are times; 1.2.2 does not.
# Output seen (6 records of each stream, batches of 3):
#   duckdb 1.2.2: exit 0, labels 4 of 6, leads 6 of 6
#   duckdb 2.0.0: exit 0, labels 4 of 6, leads 4 of 6
# Why it matters: a small list of labels, or any stream with few columns selected, misses rows for ever, since the
#   bookmark has moved on; an older engine hides the fault only as long as a column is not text.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv venv
venv/bin/pip install -q --disable-pip-version-check target-duckdb==0.8.0 duckdb==1.2.2

cat > input.jsonl <<'JSON'
{"type":"SCHEMA","stream":"labels","key_properties":["id"],"schema":{"type":"object","properties":{"id":{"type":"string"},"label":{"type":"string"}}}}
{"type":"RECORD","stream":"labels","record":{"id":"lab_a","label":"New"}}
{"type":"RECORD","stream":"labels","record":{"id":"lab_b","label":"Open"}}
{"type":"RECORD","stream":"labels","record":{"id":"lab_c","label":"Qualified"}}
{"type":"RECORD","stream":"labels","record":{"id":"lab_d","label":"Lost"}}
{"type":"RECORD","stream":"labels","record":{"id":"lab_e","label":"Won"}}
{"type":"RECORD","stream":"labels","record":{"id":"lab_f","label":"Parked"}}
{"type":"SCHEMA","stream":"leads","key_properties":["id"],"schema":{"type":"object","properties":{"id":{"type":"string"},"updated_at":{"type":"string","format":"date-time"}}}}
{"type":"RECORD","stream":"leads","record":{"id":"lead_a","updated_at":"2026-01-02T10:00:00+00:00"}}
{"type":"RECORD","stream":"leads","record":{"id":"lead_b","updated_at":"2026-01-02T11:00:00+00:00"}}
{"type":"RECORD","stream":"leads","record":{"id":"lead_c","updated_at":"2026-01-02T12:00:00+00:00"}}
{"type":"RECORD","stream":"leads","record":{"id":"lead_d","updated_at":"2026-01-02T13:00:00+00:00"}}
{"type":"RECORD","stream":"leads","record":{"id":"lead_e","updated_at":"2026-01-02T14:00:00+00:00"}}
{"type":"RECORD","stream":"leads","record":{"id":"lead_f","updated_at":"2026-01-02T15:00:00+00:00"}}
{"type":"STATE","value":{"bookmarks":{"leads":{"updated_at":"2026-01-02T15:00:00+00:00"}}}}
JSON
echo '{"path": "crm.duckdb", "default_target_schema": "main", "batch_size_rows": 3}' > config.json

load() { # loads into a new file, prints the stored counts
  rm -f crm.duckdb
  venv/bin/target-duckdb --config config.json < input.jsonl > state.txt 2> log.txt
  venv/bin/python - <<'PY'
import duckdb
c = duckdb.connect("crm.duckdb")
labels, leads = (c.sql(f"SELECT count(*) FROM {t}").fetchall()[0][0] for t in ("labels", "leads"))
print(f"labels {labels} of 6, leads {leads} of 6")
PY
}

old=$(load)
venv/bin/pip install -q --disable-pip-version-check duckdb==2.0.0
new=$(load)
echo "duckdb 1.2.2: exit 0, $old"
echo "duckdb 2.0.0: exit 0, $new"
if [ "$old" != "labels 4 of 6, leads 6 of 6" ] || [ "$new" != "labels 4 of 6, leads 4 of 6" ]; then
  echo "changed: the first record of a batch is no longer lost as described"
  exit 1
fi
