"""The tap with a journal of the target, and nothing else selected."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tap_crm.shaping.schema import load_schema
from tests.singer import Tap

if TYPE_CHECKING:
    from pathlib import Path

    from tests.singer import Record, Run

#: Where nobody answers: whoever asks it fails.
NOWHERE = "http://127.0.0.1:1/developer_api/v1"


class JournalTap(Tap):
    """A tap that reads a journal.

    Args:
        folder: where its files are.
        journal: the address of the journal.
        config: the credentials.
    """

    inside = True

    def __init__(self, folder: Path, journal: str, **config: Any) -> None:  # noqa: ANN401 - settings of any type
        super().__init__(folder, **{"api_url": NOWHERE, "retry_seconds": 1, "journal": journal, **config})

    def writes(self, state: Record | None = None, *, expect: int = 0, **overrides: Any) -> Run:  # noqa: ANN401
        """Read the stream ``writes`` alone."""
        return self.sync(state=state, catalog=catalog("writes", "sync_audit"), expect=expect, **overrides)


def catalog(*names: str) -> Record:
    """Return a catalog with these streams, which no CRM has."""
    return {"streams": [_entry(name) for name in names]}


def _entry(name: str) -> Record:
    keys = {"writes": ["journal_id", "sequence"], "sync_audit": ["run_id", "stream"]}[name]
    replication = {"replication_key": "sequence", "replication_method": "INCREMENTAL"} if name == "writes" else {}
    return {
        **replication,
        "tap_stream_id": name,
        "schema": load_schema("common", name),
        "key_properties": keys,
        "metadata": [{"breadcrumb": [], "metadata": {"selected": True, "table-key-properties": keys}}],
    }
