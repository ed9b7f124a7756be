#!/usr/bin/env bash
# meltano 4.4.1 with target-jsonl 0.1.4 (the tap is written in this file), 2026-11-28
#
# One would guess: a run with --full-refresh starts without bookmarks; if it fails half-way, the next run goes on from
#   what this one stored, and reads again the streams that it did not reach.
# What happens: the state of the failed run is merged, key by key, into the one from before the refresh. The stream that
#   was not reached keeps its old bookmark, and the next plain run begins there: it is never read again from the start.
# Output seen (3 people, 3 deals; the refresh fails between the streams, then a plain run exits 0):
#   refresh: 3 people, 0 deals, exit 1; the run after it: 0 people, 0 deals, exit 0; bookmarks people 3, deals 3
# Why it matters: a refresh is made because old rows lack something (a new column, a mended value). A scheduler that
#   repeats the failed run without the option reports success, and the deals stay as they were.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv venv
venv/bin/pip install -q --disable-pip-version-check meltano==4.4.1
python3 -m venv loader
loader/bin/pip install -q --disable-pip-version-check target-jsonl==0.1.4

mkdir out
cat > meltano.yml <<YAML
send_anonymous_usage_stats: false
default_environment: dev
environments: [{name: dev}]
plugins:
  extractors:
  - {name: tap-demo, namespace: tap_demo, executable: ./tap.py, capabilities: [state]}
  loaders:
  - name: target-jsonl
    namespace: target_jsonl
    executable: $dir/loader/bin/target-jsonl
    settings: [{name: destination_path}]
    config: {destination_path: out}
YAML
cat > tap.py <<'PY'
#!/usr/bin/env python3
import json, os, pathlib, sys

state = json.loads(pathlib.Path(sys.argv[sys.argv.index("--state") + 1]).read_text()) if "--state" in sys.argv else {}
old, new = state.get("bookmarks", {}), dict(state.get("bookmarks", {}))

def write(**message):
    print(json.dumps(message), flush=True)

for stream in ("people", "deals"):
    if stream == "deals" and os.environ.get("FAIL"):
        sys.exit(1)  # say, the API is down
    write(type="SCHEMA", stream=stream, key_properties=["id"], schema={"properties": {"id": {"type": "integer"}}})
    for number in range(old.get(stream, 0) + 1, 4):
        write(type="RECORD", stream=stream, record={"id": number})
    new[stream] = 3
    write(type="STATE", value={"bookmarks": new})
PY
chmod +x tap.py

run() { # options
  rm -f out/*
  code=0
  venv/bin/meltano run --no-install "$@" tap-demo target-jsonl >> log.txt 2>&1 || code=$?
  for stream in people deals; do
    echo "$stream $(cat out/"$stream"* 2> /dev/null | grep -c id || true)" >> seen.txt
  done
  echo "exit $code" >> seen.txt
}
run
FAIL=yes run --full-refresh
run
venv/bin/meltano --environment=dev state get dev:tap-demo-to-target-jsonl 2>> log.txt \
  | python3 -c 'import json, sys; print(json.dumps(json.load(sys.stdin)["singer_state"], sort_keys=True))' >> seen.txt
tr '\n' ';' < seen.txt
echo
printf '%s\n' 'people 3' 'deals 3' 'exit 0' 'people 3' 'deals 0' 'exit 1' 'people 0' 'deals 0' 'exit 0' \
  '{"bookmarks": {"deals": 3, "people": 3}}' > expected.txt
if [ "$(cat seen.txt)" != "$(cat expected.txt)" ]; then
  echo "changed: after a failed full refresh the streams not reached are read again, or the state differs"
  exit 1
fi
