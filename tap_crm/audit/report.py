"""Shows what was found: a table for people, JSON for programs."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING, Any, TextIO

import msgspec
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from tap_crm.audit.keys import as_json, shown
from tap_crm.audit.match import DIFFERENT, EQUAL, LEFT_OUT, UNKNOWN
from tap_crm.shaping.moments import from_epoch

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tap_crm.audit.audit import Report
    from tap_crm.audit.keys import Key
    from tap_crm.audit.match import Comparison

COUNTS = ("missing", "surplus", "stale", "newer")
#: Wide enough that nothing is cut, on a narrow terminal neither.
WIDE = 400
_STYLES = {EQUAL: "green", DIFFERENT: "bold red", UNKNOWN: "bold yellow", LEFT_OUT: "dim"}


def write_table(report: Report, to: TextIO) -> None:
    """Write the report for people."""
    console = Console(file=to, width=WIDE, highlight=False, emoji=False, markup=False)
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("stream", no_wrap=True)
    for name in ("CRM", "table", "deleted", *COUNTS):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("verdict", no_wrap=True)
    for one in report.comparisons:
        numbers = (one.crm, one.table, one.deleted, *(getattr(one, name) for name in COUNTS))
        table.add_row(one.stream, *map(_number, numbers), Text(one.verdict, _STYLES[one.verdict]))
    console.print(table)
    for line in [*_differences(report.comparisons), *(f"note: {note}" for note in report.notes)]:
        console.print(line, soft_wrap=True)
    console.print(Text(summary(report), "bold"), soft_wrap=True)


def _number(value: int | None) -> str:
    return "-" if value is None else f"{value:,}"


def _differences(comparisons: Sequence[Comparison]) -> Iterator[str]:
    for one in comparisons:
        if one.reason is not None:
            yield f"{one.stream}: {one.reason}"
        marked = set(one.marked_ids)
        for what, count, ids in (
            ("missing in the table", one.missing, one.missing_ids),
            ("not in the CRM", one.surplus, one.surplus_ids),
            ("older than in the CRM", one.stale, one.stale_ids),
        ):
            if count:
                names = [f"{shown(key)} (marked as deleted)" if key in marked else shown(key) for key in ids]
                yield f"{one.stream}: {count:,} {what}{_listed(names, count)}"
        yield from (f"{one.stream}: {note}" for note in one.notes)


def _listed(names: Sequence[str], count: int) -> str:
    if not names:
        return ""
    more = count - len(names)
    return f": {', '.join(names)}" + (f" and {more:,} more" if more else "")


def summary(report: Report) -> str:
    """Return the outcome in one line."""
    by_verdict = {verdict: [one.stream for one in report.comparisons if one.verdict == verdict] for verdict in _STYLES}
    parts = [f"{verdict}: {', '.join(by_verdict[verdict])}" for verdict in (DIFFERENT, UNKNOWN) if by_verdict[verdict]]
    compared = len(by_verdict[EQUAL]) + len(by_verdict[DIFFERENT])
    where = f"the schema `{report.schema}` and {report.provider.capitalize()}"
    if not parts:
        return f"equal: {compared} streams of {where}"
    return (
        f"not equal: {len(by_verdict[EQUAL])} of {len(report.comparisons)} streams of {where} are; {'; '.join(parts)}"
    )


def as_text(report: Report) -> str:
    """Return the report as JSON."""
    fields = {
        "equal": report.equal,
        "time": f"{report.time.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='seconds')}Z",
        "provider": report.provider,
        "database": report.database,
        "schema": report.schema,
        "notes": report.notes,
        "streams": [_entry(one) for one in report.comparisons],
    }
    return msgspec.json.format(msgspec.json.encode(fields), indent=2).decode() + "\n"


def _entry(one: Comparison) -> dict[str, Any]:
    counts = {f"{name}_count": getattr(one, name) for name in COUNTS}
    return {
        "stream": one.stream,
        "verdict": one.verdict,
        "crm_rows": one.crm,
        "table_rows": one.table,
        "deleted": one.deleted,
        **counts,
        "loaded_to": None if one.loaded_to is None else from_epoch(one.loaded_to),
        "missing": _ids(one.missing_ids),
        "marked_as_deleted": _ids(one.marked_ids),
        "surplus": _ids(one.surplus_ids),
        "stale": _ids(one.stale_ids),
        "reason": one.reason,
        "notes": one.notes,
    }


def _ids(keys: Sequence[Key]) -> list[str | list[str]]:
    return [as_json(key) for key in keys]
