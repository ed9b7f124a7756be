"""Days and moments, in the forms in which CRMs write them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from typing_extensions import override

from tap_crm.shaping.moments import Unfit, to_iso_date, to_iso_moment
from target_crm.kinds.base import Plain, refuse

EPOCH, ISO, SLASHED = "epoch", "iso", "slashed"
_A_DATE, _A_TIME = "a date, such as 2026-01-31", "a time, such as 2026-01-31T12:00:00Z"
_DAY = 86_400
#: Smaller numbers are years, or days without their strokes, and no epochs: this one was in 1973.
_EPOCHS = 100_000_000


def given_time(value: Any, wanted: str = _A_TIME) -> Any:  # noqa: ANN401
    """Return what a record gives as a time.

    Raises:
        Unwritable: it is a number such as 2026 or 20260131, which as an epoch would be a moment in 1970. Midnights, as
            CRMs give old days, are epochs.
    """
    is_number = isinstance(value, (int, float, Decimal))
    if is_number and (isinstance(value, bool) or (abs(value) < _EPOCHS and value % _DAY)):
        raise refuse(wanted)
    return value


@dataclass(frozen=True, slots=True)
class Day(Plain):
    """A day without a time zone, as ``2026-01-31``.

    Attributes:
        form: how the API writes it: midnight UTC in ``epoch`` seconds, ``iso``, or ``slashed`` as ``1/31/2026``.
        date_order: ``mdy`` or ``dmy``, for the slashed form.
    """

    form: str = ISO
    date_order: str = "mdy"

    @override
    def read(self, value: Any) -> str | None:
        if value is None or value == "":
            return None
        try:
            return to_iso_date(value, self.date_order)
        except Unfit:
            raise refuse(_A_DATE) from None

    @override
    def accept(self, value: Any) -> Any:
        return self.read(given_time(value, _A_DATE))

    @override
    def write(self, value: Any) -> Any:
        if value is None or self.form == ISO:
            return value
        day = date.fromisoformat(value)
        if self.form == EPOCH:
            return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())
        first, second = (day.month, day.day) if self.date_order == "mdy" else (day.day, day.month)
        return f"{first}/{second}/{day.year:04}"

    @override
    def show(self, value: Any) -> Any:
        return value


@dataclass(frozen=True, slots=True)
class Moment(Plain):
    """A moment in UTC, as ``2026-01-31T12:00:00Z``.

    Attributes:
        form: how the API writes it: ``epoch`` seconds or ``iso``.
        resolution: what the CRM keeps of a second: 1 for whole seconds, 1000 for milliseconds.
    """

    form: str = ISO
    resolution: int = 1

    @override
    def read(self, value: Any) -> str | None:
        if value is None or value == "":
            return None
        try:
            return to_iso_moment(value)
        except Unfit:
            raise refuse(_A_TIME) from None

    @override
    def accept(self, value: Any) -> Any:
        return self.read(given_time(value))

    @override
    def write(self, value: Any) -> Any:
        if value is None or self.form == ISO:
            return value
        return self._ticks(value) // self.resolution

    @override
    def show(self, value: Any) -> Any:
        return value

    @override
    def holds(self, present: Any, wanted: Any) -> bool:
        if present is None or wanted is None:
            return present is wanted
        return self._ticks(present) == self._ticks(wanted)

    def _ticks(self, iso: str) -> int:
        return round(datetime.fromisoformat(iso).timestamp() * 1_000_000) * self.resolution // 1_000_000
