"""Reads people of Copper by dlt into files of JSON lines, and then writes these files' lines where taps write theirs.

The last step is no part of dlt, and cheap: its rows are counted like those of the others.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dlt
from dlt.sources.helpers.rest_client import RESTClient
from streams import KEY, PAGE, URL, USER, headers

if TYPE_CHECKING:
    from collections.abc import Iterator

client = RESTClient(os.environ[URL], headers=headers(os.environ[KEY], os.environ[USER]))
FIRST = dlt.sources.incremental("date_modified", initial_value=0)


@dlt.resource(name="people", primary_key="id", write_disposition="append", max_table_nesting=0)
def people(since: dlt.sources.incremental[int] = FIRST) -> Iterator[Any]:
    """Give people, page by page."""
    number, first = 1, since.last_value  # which moves with the rows that are given
    order = {"sort_by": "date_modified", "sort_direction": "asc"}
    while True:
        body = {"page_size": PAGE, "page_number": number, "minimum_modified_date": first, **order}
        found = client.post("people/search", json=body).json()
        yield found
        if len(found) < PAGE:
            return
        number += 1


with tempfile.TemporaryDirectory() as name:
    os.environ["DATA_WRITER__DISABLE_COMPRESSION"] = os.environ["NORMALIZE__DATA_WRITER__DISABLE_COMPRESSION"] = "true"
    files = Path(name) / "files"
    pipeline = dlt.pipeline(
        "copper",
        pipelines_dir=f"{name}/pipelines",
        destination=dlt.destinations.filesystem(files.as_uri()),
        dataset_name="copper",
    )
    pipeline.run(people, loader_file_format="jsonl").raise_on_failed_jobs()
    for file in sorted((files / "copper" / "people").glob("*.jsonl")):
        with file.open("rb") as lines:
            shutil.copyfileobj(lines, sys.stdout.buffer)
