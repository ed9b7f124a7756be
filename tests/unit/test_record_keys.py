"""A record without a usable key is no record: its answer is asked for again, and nothing crashes over it."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tap_crm.providers.common.records import record_in, records_in
from tap_crm.transport.question import Doubtful


@pytest.mark.parametrize("key", [None, "", True, [], ["a"], {}, {"a": 1}], ids=str)
def test_what_is_no_key_makes_an_answer_doubtful(key: object) -> None:
    """Of a list as of a single object."""
    with pytest.raises(Doubtful, match="a record has no id"):
        records_in([{"id": 1}, {"id": key}], "id")
    with pytest.raises(Doubtful, match="not the documented object"):
        record_in({"id": key}, "id")


@pytest.mark.parametrize("key", [0, 7, "a", Decimal("1.5")], ids=str)
def test_texts_and_numbers_are_keys(key: object) -> None:
    """Zero is one, too."""
    assert records_in([{"id": key}], "id") == [{"id": key}]
    assert record_in({"id": key}, "id") == {"id": key}
