#!/usr/bin/env bash
# singer-sdk 0.54.9 (a tap written in this file), 2026-11-28
#
# One would guess: a value that does not fit its declared type raises, warns, or is passed on as it came, for the loader
#   to refuse.
# What happens: in a boolean property every value is turned into a boolean by being zero or not. The texts "false", "no"
#   and "0" become true; nothing is logged about it.
# Output seen (exit 0): {'false': True, 'no': True, '0': True, 0: False, False: False}
# Why it matters: APIs that write flags as text (custom fields, CSV exports, form answers) turn "unsubscribed: false"
#   into its opposite for every person, in a column that looks perfectly typed.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv venv
venv/bin/pip install -q --disable-pip-version-check singer-sdk==0.54.9

cat > tap.py <<'PY'
"""A tap of five people."""
from singer_sdk import Stream, Tap
from singer_sdk import typing as th

class People(Stream):
    name = "people"
    primary_keys = ("id",)
    schema = th.PropertiesList(
        th.Property("id", th.IntegerType),
        th.Property("unsubscribed", th.BooleanType),
    ).to_dict()

    def get_records(self, context):
        for number, flag in enumerate(["false", "no", "0", 0, False]):
            yield {"id": number, "unsubscribed": flag}

class DemoTap(Tap):
    name = "tap-demo"
    config_jsonschema = th.PropertiesList().to_dict()

    def discover_streams(self):
        return [People(self)]

DemoTap.cli()
PY
echo '{}' > config.json
venv/bin/python tap.py --config config.json > out.jsonl 2> log.txt

venv/bin/python - <<'PY'
import json, sys
given = ["'false'", "'no'", "'0'", "0", "False"]
lines = [json.loads(line) for line in open("out.jsonl")]
got = [m["record"]["unsubscribed"] for m in lines if m["type"] == "RECORD"]
print("{" + ", ".join(f"{g}: {v}" for g, v in zip(given, got)) + "}")
warned = "unsubscribed" in open("log.txt").read()
if got != [True, True, True, False, False] or warned:
    print("changed: texts in a boolean property are no longer turned into true without a word")
    sys.exit(1)
PY
