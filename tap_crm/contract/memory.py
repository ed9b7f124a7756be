"""What a source keeps from one of its reads for the next one."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(slots=True)
class Memory:
    """What a source remembers; kept in the state once its read has succeeded.

    Attributes:
        fingerprint: of all records, in the form of :class:`~tap_crm.reading.fingerprint.Fingerprint`; None for none.
        counted: how many records there were; None where that is not known. Holds whatever becomes of the next read.
        others: what else a state has of it.
    """

    fingerprint: Mapping[str, Any] | None = None
    counted: int | None = None
    others: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_empty(self) -> bool:
        """Whether nothing is remembered."""
        return self.counted is None and not self.holds_records

    @property
    def holds_records(self) -> bool:
        """Whether it says something of single records, which holds only as long as the target has just these."""
        return self.fingerprint is not None or bool(self.others)
