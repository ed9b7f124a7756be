"""Reads people of Copper and writes each as a line, and does nothing else: a floor for what a tap can cost.

It believes what it gets: nothing is checked, converted, or kept for the next run.
"""

from __future__ import annotations

import os
import sys

import orjson
import requests
from streams import KEY, PAGE, URL, USER, headers

session = requests.Session()
session.headers.update(headers(os.environ[KEY], os.environ[USER]))
number = 1
while True:
    body = {"page_size": PAGE, "page_number": number, "sort_by": "date_modified", "sort_direction": "asc"}
    answer = session.post(f"{os.environ[URL]}/people/search", data=orjson.dumps(body))
    answer.raise_for_status()
    rows = orjson.loads(answer.content)
    for row in rows:
        sys.stdout.buffer.write(orjson.dumps({"type": "RECORD", "stream": "people", "record": row}) + b"\n")
    if len(rows) < PAGE:
        break
    number += 1
