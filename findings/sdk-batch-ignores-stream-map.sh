#!/usr/bin/env bash
# singer-sdk 0.54.9 (a tap written in this file), 2026-11-28
#
# One would guess: a stream map says what leaves the tap, however it leaves: the same records, filtered and mapped, as
#   RECORD messages or as BATCH files.
# What happens: with batch_config the files hold the stream's records as the source gave them. The filter is not
#   applied, the mapped amount is not computed, and types are not conformed, while the SCHEMA message and its columns are
#   those of the map. A loader that reads the files is given other rows and other values.
# Output seen (map: leave out stage "test", amount in whole units; both runs exit 0):
#   RECORD: [(2, 12.5)]
#   BATCH:  [(1, 999900), (2, 1250)]
# Why it matters: switching on BATCH for speed changes sums by a factor of 100 and brings back rows that were filtered.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv venv
venv/bin/pip install -q --disable-pip-version-check singer-sdk==0.54.9

cat > tap.py <<'PY'
"""A tap of two deals."""
from singer_sdk import Stream, Tap
from singer_sdk import typing as th

class Deals(Stream):
    name = "deals"
    primary_keys = ("id",)
    schema = th.PropertiesList(
        th.Property("id", th.IntegerType),
        th.Property("stage", th.StringType),
        th.Property("amount", th.NumberType),
    ).to_dict()

    def get_records(self, context):
        yield {"id": 1, "stage": "test", "amount": 999900}
        yield {"id": 2, "stage": "won", "amount": 1250}

class DemoTap(Tap):
    name = "tap-demo"
    config_jsonschema = th.PropertiesList().to_dict()

    def discover_streams(self):
        return [Deals(self)]

DemoTap.cli()
PY
mkdir files
cat > map.json <<'JSON'
{"stream_maps": {"deals": {"__filter__": "stage != 'test'", "amount": "float(amount) / 100"}}}
JSON
cat > batch.json <<JSON
{"batch_config": {"encoding": {"format": "jsonl", "compression": "gzip"}, "storage": {"root": "file://$dir/files"}}}
JSON
venv/bin/python tap.py --config map.json > records.jsonl 2> records.log
venv/bin/python tap.py --config map.json --config batch.json > batch.jsonl 2> batch.log

venv/bin/python - <<'PY'
import gzip, json, pathlib, sys
lines = [json.loads(line) for line in open("records.jsonl")]
records = [(m["record"]["id"], m["record"]["amount"]) for m in lines if m["type"] == "RECORD"]
files = [p for m in map(json.loads, open("batch.jsonl")) if m["type"] == "BATCH" for p in m["manifest"]]
batch = []
for name in files:
    rows = [json.loads(x) for x in gzip.open(pathlib.Path(name.removeprefix("file://")), "rt")]
    batch += [(r["id"], r["amount"]) for r in rows]
print(f"RECORD: {records}\nBATCH:  {batch}")
if records != [(2, 12.5)] or batch != [(1, 999900), (2, 1250)]:
    print("changed: BATCH files no longer hold the unmapped records")
    sys.exit(1)
PY
