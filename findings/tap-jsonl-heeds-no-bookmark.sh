#!/usr/bin/env bash
# tap-jsonl 0.3.1 with singer-sdk 0.53.7, 2026-11-28
#
# One would guess: the tap is incremental by file, and a run with the state of the last one leaves out a file that has
#   not changed since.
# What happens: the state keeps the file's time under `replication_key_value`, and the tap looks for it under
#   `_sdc_last_modified`. It never finds one, and sends every line of every file in each run.
# Output seen: 2 records in the first run; 2 again in the second run, with the state of the first; exit 0, and the log
#   says `last_bookmark=None`
# Why it matters: a loader that appends has each line once more after each run, and what acts on records (a write into a
#   CRM, a mail) does so again.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv venv
venv/bin/pip install -q --disable-pip-version-check tap-jsonl==0.3.1 singer-sdk==0.53.7

cat > deals.jsonl <<'JSON'
{"id": 1, "stage": "open"}
{"id": 2, "stage": "won"}
JSON
echo '{"path": "deals.jsonl", "stream_name": "deals", "primary_keys": ["id"]}' > config.json
venv/bin/tap-jsonl --config config.json > first.jsonl 2> first.log
venv/bin/python -c '
import json
state = [m["value"] for m in map(json.loads, open("first.jsonl")) if m["type"] == "STATE"][-1]
json.dump(state, open("state.json", "w"))'
venv/bin/tap-jsonl --config config.json --state state.json > second.jsonl 2> second.log

first=$(grep -c '"type":"RECORD"' first.jsonl || true)
second=$(grep -c '"type":"RECORD"' second.jsonl || true)
echo "state: $(cat state.json)"
echo "records: $first, then $second; the log: $(grep -o 'last_bookmark=[^ ,]*' second.log)"
if [ "$first" != 2 ] || [ "$second" != 2 ]; then
  echo "changed: the file that has not changed is left out now"
  exit 1
fi
