"""What of a list that is read whole was written last: while it is the same, it need not be written again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tap_crm.config.settings import DAY

if TYPE_CHECKING:
    from tap_crm.config.settings import Settings


@dataclass(frozen=True, slots=True)
class Written:
    """The last complete read of a list that was written.

    Attributes:
        digest: of its rows as they were written; None where others may have been written since, or nothing is known.
        version: of these rows. Where the stream has another one by now, whoever wrote that knew nothing of the digest.
        at: when they were written, in epoch seconds of the server's clock.
    """

    digest: str | None = None
    version: int | None = None
    at: int | None = None

    def holds(self, version: int | None, settings: Settings, now: float) -> bool:
        """Tell whether rows that are the same need not be written.

        Now and then they are, whatever was written before: the target may have lost its table, or may have rows of a
        run of which no state came back.

        Args:
            version: that the stream has now.
            settings: the user's.
            now: the present, in epoch seconds of the server's clock.
        """
        if self.digest is None or self.at is None or self.version != version:
            return False
        if settings.reconcile != "auto":
            return settings.reconcile == "false"
        return 0 <= now - self.at < settings.reconcile_days * DAY
