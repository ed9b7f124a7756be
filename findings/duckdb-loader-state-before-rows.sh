#!/usr/bin/env bash
# target-duckdb 0.8.0 with duckdb 1.2.2, 2026-11-28
#
# One would guess: a loader prints a stream's bookmark only after it has stored the records before it.
# What happens: the loader keeps the first STATE as "what is stored" at the moment it reads it. When the batch of another
#   stream fills up, only that stream is written, and the kept STATE is printed, with the bookmark of the stream whose
#   records are still in memory. If the process ends here (out of memory, node gone), those records are lost: the next
#   run starts behind them.
# Output seen (2 people, their STATE, then a full batch of deals; the loader is ended when it has printed STATE):
#   printed: {"bookmarks": {"people": {"updated_at": "2026-01-02"}}}
#   stored: people 0 of 2, deals 3 of 3
# Why it matters: the promise "at least once" rests on STATE after rows; here a killed load skips rows without a trace.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv venv
venv/bin/pip install -q --disable-pip-version-check target-duckdb==0.8.0 duckdb==1.2.2

cat > input.jsonl <<'JSON'
{"type":"SCHEMA","stream":"people","key_properties":["id"],"schema":{"type":"object","properties":{"id":{"type":"integer"},"updated_at":{"type":"string","format":"date-time"}}}}
{"type":"RECORD","stream":"people","record":{"id":1,"updated_at":"2026-01-01T00:00:00+00:00"}}
{"type":"RECORD","stream":"people","record":{"id":2,"updated_at":"2026-01-02T00:00:00+00:00"}}
{"type":"STATE","value":{"bookmarks":{"people":{"updated_at":"2026-01-02"}}}}
{"type":"SCHEMA","stream":"deals","key_properties":["id"],"schema":{"type":"object","properties":{"id":{"type":"integer"},"stage":{"type":"string"}}}}
{"type":"RECORD","stream":"deals","record":{"id":10,"stage":"open"}}
{"type":"RECORD","stream":"deals","record":{"id":11,"stage":"won"}}
{"type":"RECORD","stream":"deals","record":{"id":12,"stage":"lost"}}
JSON
echo '{"path": "crm.duckdb", "default_target_schema": "main", "batch_size_rows": 3}' > config.json

# The pipe stays open, as it does while a tap still reads.
mkfifo pipe
venv/bin/target-duckdb --config config.json < pipe > state.txt 2> log.txt &
loader=$!
exec 3> pipe
cat input.jsonl >&3
for _ in $(seq 240); do
  if [ -s state.txt ]; then break; fi
  sleep 0.25
done
kill -KILL "$loader"
wait "$loader" 2> /dev/null || true
exec 3>&-

venv/bin/python - <<'PY'
import duckdb, json, sys
printed = open("state.txt").readline().strip()
c = duckdb.connect("crm.duckdb")
people, deals = (c.sql(f"SELECT count(*) FROM {t}").fetchall()[0][0] for t in ("people", "deals"))
print(f"printed: {printed}\nstored: people {people} of 2, deals {deals} of 3")
ahead = printed and json.loads(printed)["bookmarks"].get("people") == {"updated_at": "2026-01-02"}
if not (ahead and people == 0 and deals == 3):
    print("changed: the bookmark of people is no longer printed before people are stored")
    sys.exit(1)
PY
