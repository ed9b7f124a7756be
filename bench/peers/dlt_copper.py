"""Loads an account of Copper by dlt: a resource for each stream, merged by `id` or replaced, into one dataset.

    DATABASE=postgresql://… python dlt_copper.py SCHEMA FOLDER

dlt's state is in the folder, and in the dataset itself.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

import dlt
from dlt.sources.helpers.rest_client import RESTClient
from streams import CHANGED, KEY, PAGE, URL, USER, WHOLE, headers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dlt.extract import DltResource

client = RESTClient(os.environ[URL], headers=headers(os.environ[KEY], os.environ[USER]))


def changed(name: str, field: str, bound: str) -> DltResource:
    """Return the resource of a stream that is read from its last change on."""
    order = {} if name == "activities" else {"sort_by": field, "sort_direction": "asc"}
    start = dlt.sources.incremental(field, initial_value=0)

    @dlt.resource(name=name, primary_key="id", write_disposition="merge", max_table_nesting=0)
    def rows(since: dlt.sources.incremental[int] = start) -> Iterator[Any]:
        number, first = 1, since.last_value  # which moves with the rows that are given
        while True:
            body = {"page_size": PAGE, "page_number": number, bound: first, **order}
            found = client.post(f"{name}/search", json=body).json()
            yield found
            if len(found) < PAGE:
                return
            number += 1

    return rows


def whole(name: str, path: str) -> DltResource:
    """Return the resource of a stream that is read whole."""

    @dlt.resource(name=name, write_disposition="replace", max_table_nesting=0)
    def rows() -> Iterator[Any]:
        yield client.get(path).json()

    return rows


@dlt.source
def copper() -> list[DltResource]:
    """Return all resources."""
    return [changed(name, *how) for name, how in CHANGED.items()] + [whole(*one) for one in WHOLE.items()]


pipeline = dlt.pipeline(
    "copper",
    pipelines_dir=sys.argv[2],
    destination=dlt.destinations.postgres(os.environ["DATABASE"]),
    dataset_name=sys.argv[1],
)
pipeline.run(copper()).raise_on_failed_jobs()
