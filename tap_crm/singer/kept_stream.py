"""What the state has of a stream: read from the SDK's, and brought back to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from typing_extensions import override

from tap_crm.ledger import Ledger
from tap_crm.singer.told_stream import ToldStream
from tap_crm.sync.given_state import forget_future
from tap_crm.sync.state import StreamState, bookmarks_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from singer_sdk import Tap


class KeptStream(ToldStream):
    """A stream that keeps more in the state than a bookmark.

    Args:
        tap: the tap that keeps the state.
        schema: the stream's.
        name: its name.
    """

    @override
    def __init__(self, tap: Tap, schema: dict[str, Any], name: str) -> None:
        super().__init__(tap=tap, schema=schema, name=name)
        self.ledger = Ledger()
        self._kept: StreamState | None = None

    @property
    def is_incremental(self) -> bool:
        """Whether it is read by a bookmark."""
        return self.replication_method == "INCREMENTAL"

    def starting_bookmark(self) -> int | None:
        """Return the bookmark in epoch seconds, or None where the stream is read in full.

        Raises:
            ConfigError: the state holds something that is no time.
        """
        return self.kept.bookmark_at(self.name) if self.is_incremental else None

    def told_to(self) -> int | None:
        """Return up to where the CRM's own log of changes was heeded, in epoch seconds; None on a first run."""
        return self.kept.log_heeded_to(self.starting_bookmark())

    def forget_future(self, now: float) -> None:
        """Take out of the state what is later than the server's present, and say so.

        Raises:
            ConfigError: the state holds something that is no time.
        """
        remark = forget_future(self.name, self.kept, now)
        if self.kept != StreamState():
            self._keep()
        if remark is not None:
            self.ledger.note(remark)
            self.logger.warning("%s", remark)

    @property
    def kept(self) -> StreamState:
        """What the state has of the stream; changed by the thread that writes."""
        if self._kept is None:
            # Not `stream_state`, which adds an entry to the state while another thread may be writing it.
            self._kept = StreamState.parse(bookmarks_of(self.tap_state).get(self.name, {}))
        return self._kept

    def _keep(self) -> None:
        """Bring the SDK's state to what is kept."""
        self.kept.write_into(self.stream_state)

    def set_back(self, state: Mapping[str, Any]) -> None:
        """Take an earlier state of the stream for the present one."""
        self.stream_state.clear()
        self.stream_state.update(state)
        self._kept = None

    def _write_state_message_now(self, *, write_messages: bool) -> None:
        if write_messages:
            self.write_state()
