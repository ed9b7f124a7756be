"""What is said of each thing that is subscribed to: a line of the table, and of the JSON."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

ACTIVE = "active"
MADE, MENDED, REMOVED = "made", "mended", "removed"
#: What `repair` mends.
MISSING, PAUSED, DEAD, DIFFERENT = "missing", "paused", "dead", "different"
#: What the CRM does not take; nothing can be done about it here.
REFUSED = "refused"
#: What is set up in the CRM's app.
BY_HAND = "by hand"
BAD = frozenset({MISSING, PAUSED, DEAD, DIFFERENT})


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that is subscribed to, or should be.

    Attributes:
        what: such as ``person update``.
        state: one of this module's words.
        id: the CRM's; empty if there is none.
        note: what else is to be said, without any secret.
    """

    what: str
    state: str
    id: str = ""
    note: str = ""

    @property
    def is_bad(self) -> bool:
        """Whether events do not come that should."""
        return self.state in BAD

    def as_json(self) -> dict[str, Any]:
        """Return it for programs."""
        return {"what": self.what, "state": self.state, "id": self.id, "note": self.note}
