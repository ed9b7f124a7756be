#!/usr/bin/env bash
# meltano 4.4.1 with target-jsonl 0.1.4 (the tap is written in this file), 2026-11-28
#
# One would guess: two runs of one plugin with different --state-id-suffix are apart; each tap gets the bookmarks of its
#   own state id, and Meltano allows the two at once.
# What happens: the file that hands the bookmarks to the tap belongs to the plugin, not to the run or the state id. If a
#   second run starts before the first one's tap has opened the file, the first tap reads the other account's bookmarks.
#   Here the first tap waits for the second run, as a tap that imports for some seconds does.
# Output seen (account a has deals 1-5 and bookmark 3, account b has deals 1-11 and bookmark 9; both runs exit 0):
#   stored of a: [1, 2, 3], stored of b: [1, ..., 11]; new bookmark of a: 5
# Why it matters: deals 4 and 5 of account a are lost for ever, both runs are green; it strikes when the scheduler is
#   busy. A plugin name per account (inherit_from) or a system folder per run keeps them apart.
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
import json, os, pathlib, sys, time

account, last = os.environ["ACCOUNT"], int(os.environ["LAST"])
pathlib.Path(f"started-{account}").touch()
for _ in range(1200 if os.environ.get("SLOW") else 0):
    if pathlib.Path("started-b").exists():
        break
    time.sleep(0.1)
state = json.loads(pathlib.Path(sys.argv[sys.argv.index("--state") + 1]).read_text()) if "--state" in sys.argv else {}
bookmark = state.get("bookmarks", {}).get("deals", 0)

def write(**message):
    print(json.dumps(message), flush=True)

kinds = {"account": {"type": "string"}, "id": {"type": "integer"}}
write(type="SCHEMA", stream="deals", key_properties=["account", "id"], schema={"type": "object", "properties": kinds})
for number in range(bookmark + 1, last + 1):
    write(type="RECORD", stream="deals", record={"account": account, "id": number})
write(type="STATE", value={"bookmarks": {"deals": last}})
PY
chmod +x tap.py

run() { # account, last deal
  ACCOUNT=$1 LAST=$2 venv/bin/meltano run --no-install "--state-id-suffix=$1" tap-demo target-jsonl >> log.txt 2>&1
}
run a 3
run b 9
rm started-a started-b
SLOW=yes run a 5 &
first=$!
until [ -e started-a ]; do
  kill -0 "$first"
  sleep 0.2
done
run b 11
wait "$first"
venv/bin/meltano --environment=dev state get dev:tap-demo-to-target-jsonl:a > state.json 2>> log.txt

python3 - <<'PY'
import json, pathlib, sys
rows = [json.loads(x) for p in pathlib.Path("out").iterdir() for x in p.read_text().splitlines()]
a, b = (sorted(r["id"] for r in rows if r["account"] == account) for account in "ab")
bookmark = json.loads(pathlib.Path("state.json").read_text())["singer_state"]["bookmarks"]["deals"]
print(f"exit 0 twice; stored of a: {a}, stored of b: {b}; new bookmark of a: {bookmark}")
if a != [1, 2, 3] or b != list(range(1, 12)) or bookmark != 5:
    print("changed: the first tap no longer reads the bookmarks of the second run")
    sys.exit(1)
PY
