"""An answer that is read piece by piece, and is nested too deeply, is doubted before it takes all memory."""

from __future__ import annotations

import io
import json

import pytest

from tap_crm.transport.depth import MOST_LEVELS, PIECE, check_depth
from tap_crm.transport.question import Doubtful


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000 + "]" * 100_000,
        '[{"a":' * 50_000 + "1" + "}]" * 50_000,
        "[" * 100_000,
        json.dumps(["x" * (PIECE - 100)])[:-1] + "," + "[" * 50_000 + "]" * 50_001,
        '["' + "[" * 5_000 + '"' + "," + "[" * (MOST_LEVELS + 200) + "]" * (MOST_LEVELS + 201),
    ],
)
def test_what_is_too_deep_is_doubted(text: str) -> None:
    """Whole or cut, of lists or objects, behind texts that hold brackets."""
    with pytest.raises(Doubtful, match="nested too deeply"):
        check_depth(io.BytesIO(text.encode()))


@pytest.mark.parametrize(
    "value",
    [
        [{"_id": "a", "columns": [{"columnId": "b", "value": ["c"]}] * 9}] * 4_000,
        [{"text": "[" * 400_000 + '\\" [[ \\\\'}, {"text": "{" * 9_000}],
        [],
        ["é [" * 200_000],
    ],
)
def test_brackets_in_texts_are_no_depth(value: object) -> None:
    """However many there are, and wherever a piece of the file ends."""
    check_depth(io.BytesIO(json.dumps(value).encode()))
