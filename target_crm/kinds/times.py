"""Days and moments, in the forms in which CRMs write them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from typing_extensions import override

from tap_crm.shaping.moments import Unfit, to_iso_date, to_iso_moment
from target_crm.kinds.base import Plain, refuse

EPOCH, ISO, SLASHED = "epoch", "iso", "slashed"


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
            raise refuse("a date, such as 2026-01-31") from None

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
            raise refuse("a time, such as 2026-01-31T12:00:00Z") from None

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
