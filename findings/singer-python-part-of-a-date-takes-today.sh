#!/usr/bin/env bash
# singer-python 6.8.0 (transform, which taps call on each record), 2026-11-29
#
# One would guess: a text that is not a whole date does not fit a date-time property, and raises.
# What happens: what the text does not say is taken from the clock of the run: month and day of today for "2024", today's
#   date for "10:30". Nothing is logged about it.
# Output seen on 2026-11-29: '2024' -> 2024-11-29, 'March 2024' -> 2024-03-29, '10:30' -> 2026-11-29T10:30
# Why it matters: the same record has another value on another day, so that an unchanged founding year or renewal month
#   wanders through the calendar, looks exact to the second, and counts as a change in each comparison.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv venv
venv/bin/pip install -q --disable-pip-version-check singer-python==6.8.0

cat > transform.py <<'PY'
import datetime

import singer

schema = {"type": "object", "properties": {"since": {"type": ["null", "string"], "format": "date-time"}}}


def read() -> list[str]:
    return [singer.transform({"since": text}, schema)["since"] for text in ("2024", "March 2024", "10:30")]


today = datetime.date.today()
while True:  # again, if midnight came in between
    got = read()
    if today == datetime.date.today():
        break
    today = datetime.date.today()
print(f"today is {today}: {got}")
wanted = [f"2024-{today:%m-%d}T00:00:00.000000Z", f"2024-03-{today:%d}T00:00:00.000000Z", f"{today}T10:30:00.000000Z"]
if got != wanted:
    print("changed: parts of a date are no longer filled up from the day of the run")
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
