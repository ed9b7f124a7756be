"""An answer of Copera is believed whole, or asked for again."""

from __future__ import annotations

import io

import pytest

from tap_crm.providers.copera.account import _tables_in
from tap_crm.providers.copera.per_row import _row_ids
from tap_crm.providers.copera.trees import DOCUMENTS
from tap_crm.transport.question import Doubtful, Reply


@pytest.mark.parametrize("columns", [{}, {"columns": None}, {"columns": {}}, {"columns": [{"label": "Name"}]}])
def test_a_table_without_its_columns_is_not_believed(columns: dict[str, object]) -> None:
    """Its rows would look as if all of their cells belonged to no column."""
    with pytest.raises(Doubtful):
        _tables_in([{"_id": "t", **columns}])


@pytest.mark.parametrize("children", [b'"none"', b"[1]", b"[{}]", b'[{"_id":"b","children":[{"title":"no id"}]}]'])
def test_a_tree_is_checked_to_its_leaves(children: bytes) -> None:
    """A node without an id further down is as broken as one at the root."""
    body = b'{"root":[{"_id":"a","children":' + children + b"}]}"
    with pytest.raises(Doubtful):
        DOCUMENTS._parse(Reply(body, {}, 0.0))  # noqa: SLF001 - the module's own check


@pytest.mark.parametrize("body", [b'[{"_id":"a"},{}]', b'[{"_id":"a"},null]', b'[{"_id":"a"}', b"{}"])
def test_parents_come_from_whole_lists_of_rows(body: bytes) -> None:
    """A row without an id would cost what belongs to it, unnoticed."""
    with pytest.raises(Doubtful):
        _row_ids(Reply(b"", {}, 0.0, io.BytesIO(body)))
