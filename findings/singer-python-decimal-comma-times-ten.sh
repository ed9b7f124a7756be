#!/usr/bin/env bash
# singer-python 6.8.0 (transform, which taps call on each record), 2026-11-29
#
# One would guess: a value that is no number of its declared type raises, as "4.7" in an integer property does.
# What happens: commas are taken out of a text before it is read as a number, wherever they stand, and a fraction in an
#   integer property is cut off. Nothing is logged about either.
# Output seen: '1,5' -> 15.0, '12,50' -> 1250.0, '0,75' as integer -> 75, 4.7 as integer -> 4; '4.7' as integer raises
# Why it matters: an account that writes decimals with a comma has amounts and discounts that are ten or a hundred times
#   too large, and hours lose their fraction, in records that fit their schema at every loader.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv venv
venv/bin/pip install -q --disable-pip-version-check singer-python==6.8.0

cat > transform.py <<'PY'
import logging

import singer
from singer.transform import SchemaMismatch


def read(kind: str, value: object) -> object:
    schema = {"type": "object", "properties": {"value": {"type": ["null", kind]}}}
    return singer.transform({"value": value}, schema)["value"]


given = [("number", "1,5"), ("number", "12,50"), ("integer", "0,75"), ("integer", 4.7)]
got = [read(kind, value) for kind, value in given]
for (kind, value), result in zip(given, got):
    print(f"{value!r} as {kind} -> {result}")
logging.disable()  # what is raised is logged too
try:
    got.append(read("integer", "4.7"))
except SchemaMismatch:
    got.append("refused")
print(f"'4.7' as integer -> {got[-1]}")
if got != [15.0, 1250.0, 75, 4, "refused"]:
    print("changed: decimal commas are no longer dropped, or fractions no longer cut off")
    raise SystemExit(1)
PY
code=0
venv/bin/python transform.py > out.txt 2> log.txt || code=$?
cat out.txt
if [ -s log.txt ]; then
  echo "changed: something is written about it now"
  cat log.txt
  code=1
fi
exit "$code"
