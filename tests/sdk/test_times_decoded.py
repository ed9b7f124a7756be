"""A body is decoded once to decide what it says, and once to write what is in it; also by a complete read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bench.trace import whole

if TYPE_CHECKING:
    from collections import Counter


def of_pages(small: Counter[str], large: Counter[str]) -> dict[str, int]:
    """Return how often more each place decoded something; values within records, one by one, are no bodies."""
    more = {place: times - small[place] for place, times in large.items() if times > small[place]}
    return {place: times for place, times in more.items() if "entries.py" not in place}


#: What else an account has: next to nothing.
FEW = {
    "copper": dict.fromkeys(
        ("people", "companies", "opportunities", "leads", "projects", "tasks", "activities", "custom_fields"), 3
    ),
    "close": {
        "leads": 3,
        "contacts": 3,
        "opportunities": 3,
        "tasks": 3,
        "activities": 3,
        "events": 3,
        "custom_fields": 3,
    },
    "copera": {"boards": 1, "tables": 4, "documents": 3, "drive_files": 3, "notifications": 3, "bookings": 3},
}


@pytest.mark.parametrize(
    ("crm", "stream", "shape", "size"),
    [
        pytest.param("copper", "people", "people", 200, id="copper: a search"),
        pytest.param("copper", "activities", "activities", 200, id="copper: newest first"),
        pytest.param("close", "leads", "leads", 200, id="close: a search"),
        pytest.param("close", "opportunities", "opportunities", 250, id="close: a list"),
    ],
)
def test_a_page_is_decoded_twice(crm: str, stream: str, shape: str, size: int) -> None:
    """Two pages more are four decodings more, and those of a page that begins with the end of the one before."""
    pages = 2
    small = whole(crm, stream, {**FEW[crm], shape: size // 2})
    large = whole(crm, stream, {**FEW[crm], shape: size // 2 + pages * size})
    more = of_pages(small.decoded, large.decoded)
    assert more
    assert set(more.values()) <= {pages, pages + 1, pages + 2}
    assert len(more) == 2, more


def test_a_table_is_read_once_and_its_pages_are_decoded_once() -> None:
    """What was read to its end is kept, so that it is not read again to be written.

    A page with a cell of a column that nobody defined, of which the sandbox has some, is decoded once more for it.
    """
    small, large = (
        whole("copera", "sales__companies", {**FEW["copera"], "rows": {"Companies": rows}}) for rows in (150, 650)
    )
    assert large.times("providers/copera/rows.py", "record") == 650  # each row is parsed once
    encoder = "shaping/compiled.py"
    learned = large.times(encoder, "_learn") - small.times(encoder, "_learn")
    assert of_pages(small.decoded, large.decoded)[f"{encoder}:_rows"] - learned in (2, 3)  # small has a first page, too
