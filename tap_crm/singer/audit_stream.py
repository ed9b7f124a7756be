"""The stream ``sync_audit``: the proof of a run, one row per stream that was read."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from singer_sdk import Stream
from typing_extensions import override

from tap_crm.config.redaction import redacted
from tap_crm.contract.stream import AUDIT
from tap_crm.shaping.account_column import keys_with_account, with_account
from tap_crm.shaping.moments import from_epoch
from tap_crm.shaping.schema import load_schema

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from singer_sdk import Tap

    from tap_crm.sync.run import AuditedStream, Run


class AuditStream(Stream):
    """Written last: what each stream of this run read, what it cost, and whether it is complete.

    Args:
        tap: the tap that writes it.
        run: the run that it tells of.
    """

    def __init__(self, tap: Tap, run: Run) -> None:
        column = run.settings.account_column
        super().__init__(tap=tap, schema=with_account(load_schema("common", AUDIT), column, AUDIT), name=AUDIT)
        self.primary_keys = keys_with_account(("run_id", "stream"), column)
        self.run = run

    @property
    @override
    def emit_activate_version_messages(self) -> bool:
        """Never: the rows of earlier runs stay, whatever the SDK's setting of this name says."""
        return False

    @override
    def get_records(self, context: Mapping[str, Any] | None) -> Iterable[dict[str, Any]]:
        """Yield a row for every stream that was begun in this run."""
        for stream in self.run.begun:
            row, account = self._row(stream), self.run.account_column
            yield row if account is None else account.added_to(row)

    def _row(self, stream: AuditedStream) -> dict[str, Any]:
        ledger, error = stream.ledger, self.run.failures.get(stream.name)
        return {
            "run_id": self.run.id,
            "stream": stream.name,
            "provider": self.run.settings.provider,
            "mode": stream.mode,
            "read_from": None if stream.read_from is None else from_epoch(stream.read_from),
            "read_to": None if stream.read_to is None else from_epoch(stream.read_to),
            "windows": ledger.windows,
            "pages": ledger.pages,
            "requests": ledger.requests,
            "retries": ledger.retries,
            "rate_limited": ledger.rate_limited,
            "seconds_waited": round(ledger.waited, 3),
            "records": ledger.records,
            "distinct_ids": ledger.distinct or ledger.records,
            "source_total": ledger.source_total,
            "unexplained": ledger.unexplained,
            "misfits": ledger.misfits,
            "deletions": ledger.deletions,
            "hints": ledger.hints,
            "hinted_rows": ledger.hinted_rows,
            "missed_by_events": ledger.missed_by_events,
            "whole_since": stream.whole_since,
            "complete": stream.complete,
            "error": None if error is None else redacted(error),
            "notes": [redacted(note) for note in ledger.notes],
            "started": _moment(stream.started),
            "finished": _moment(stream.finished),
        }


def _moment(epoch: float | None) -> str | None:
    if epoch is None:
        return None
    return datetime.fromtimestamp(epoch, UTC).replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"
