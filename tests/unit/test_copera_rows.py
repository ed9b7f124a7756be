"""What is made of a row of Copera that is not as documented."""

from __future__ import annotations

import pytest

from tap_crm.providers.copera.columns import columns_of
from tap_crm.providers.copera.rows import RowShaper
from tap_crm.transport.question import Doubtful

KEY = "63917b22c2ce6f447ed4d57b"
TABLE = {"_id": "t", "columns": [{"columnId": KEY, "label": "Name", "type": "TEXT"}]}


def shaper() -> RowShaper:
    """Return what shapes rows of a table with one column of text."""
    columns = columns_of(TABLE)
    return RowShaper(columns, {}, "columns", lambda: columns)


def test_a_cell_without_a_column_is_kept_beside_the_others() -> None:
    """One odd cell costs neither its row nor its table; what no schema knows goes to `_extra`."""
    odd = [{"value": 1}, "text", {"columnId": 5, "value": 2}]
    record = shaper().record({"_id": "r", "columns": [{"columnId": KEY, "value": "Ada"}, *odd]})
    assert record == {"_id": "r", "name": "Ada", "cells_without_column": odd}


@pytest.mark.parametrize("row", [None, [], "row", {}, {"_id": "r"}, {"columns": []}, {"_id": "r", "columns": {}}])
def test_what_is_no_row_is_not_believed(row: object) -> None:
    """The answer is asked for again."""
    with pytest.raises(Doubtful):
        shaper().record(row)
