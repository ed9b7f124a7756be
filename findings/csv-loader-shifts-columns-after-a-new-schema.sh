#!/usr/bin/env bash
# meltanolabs-target-csv 0.5.0 with singer-sdk 0.54.9, 2026-11-29
#
# One would guess: a stream whose SCHEMA gains a property in the middle of a run gives one file whose rows fit its
#   heading, or two files, or an error.
# What happens: the new schema writes the file anew, with its heading, at once; the rows of before are still in memory
#   and are written behind it in their old columns, each value under the heading that stands in its place.
# Output seen (exit 0, STATE printed), heading id,city,email,phone: row 1 has city ann@example.com and email 555-0100
# Why it matters: a custom field that somebody adds during the run moves the values of every earlier row by a column;
#   texts fit any column, so that nothing downstream refuses them.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv venv
venv/bin/pip install -q --disable-pip-version-check meltanolabs-target-csv==0.5.0 singer-sdk==0.54.9

cat > input.jsonl <<'JSON'
{"type":"SCHEMA","stream":"people","key_properties":["id"],"schema":{"type":"object","properties":{"id":{"type":"integer"},"email":{"type":["null","string"]},"phone":{"type":["null","string"]}}}}
{"type":"RECORD","stream":"people","record":{"id":1,"email":"ann@example.com","phone":"555-0100"}}
{"type":"SCHEMA","stream":"people","key_properties":["id"],"schema":{"type":"object","properties":{"id":{"type":"integer"},"city":{"type":["null","string"]},"email":{"type":["null","string"]},"phone":{"type":["null","string"]}}}}
{"type":"RECORD","stream":"people","record":{"id":2,"city":"Oslo","email":"bob@example.com","phone":"555-0101"}}
{"type":"STATE","value":{"done":true}}
JSON
echo '{"output_path": "out"}' > config.json
venv/bin/target-csv --config config.json < input.jsonl > state.txt 2> log.txt

python3 - <<'PY'
import csv, sys
with open("out/people.csv", newline="") as lines:
    rows = list(csv.DictReader(lines))
state = open("state.txt").read().strip()
print(f"exit 0, STATE {state}")
for row in rows:
    print(row)
first = {"id": "1", "city": "ann@example.com", "email": "555-0100", "phone": None}
if rows[0] != first or rows[1]["city"] != "Oslo" or '"done"' not in state:
    print("changed: rows of the earlier schema are no longer written into the columns of the later one")
    sys.exit(1)
PY
