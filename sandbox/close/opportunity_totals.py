"""The sums that a list of opportunities comes with."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sandbox.close.table import Row
    from sandbox.exchange import Record

_PERIODS = ("one_time", "monthly", "annual")


class _Money(msgspec.Struct):
    value_period: str
    value: int | None = None
    expected_value: int | None = None
    annualized_value: int | None = None
    annualized_expected_value: int | None = None


_read = msgspec.json.Decoder(_Money).decode


def totals(rows: Iterable[Row]) -> Record:
    """Count and add up all opportunities that a list would give."""
    counts: Counter[str] = Counter(dict.fromkeys(_PERIODS, 0))
    values: Counter[str] = Counter()
    expected: Counter[str] = Counter()
    for row in rows:
        money = _read(row.raw)
        counts[money.value_period] += 1
        values[money.value_period] += money.value or 0
        values["annualized"] += money.annualized_value or 0
        expected[money.value_period] += money.expected_value or 0
        expected["annualized"] += money.annualized_expected_value or 0
    kinds = (*_PERIODS, "annualized")
    return {
        "count_by_value_period": dict(counts),
        **{f"total_value_{kind}": values[kind] for kind in kinds},
        **{f"expected_value_{kind}": expected[kind] for kind in kinds},
    }
