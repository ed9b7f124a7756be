"""What a state and a journal tell, where there is no loaded database, or beside it."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa

from tap_crm.contract.stream import AUDIT
from tap_crm.errors import ConfigError
from tap_crm.journal.opening import reading
from tap_crm.journal.tables import FACTS, FORM, PROVIDER, VERSION, WRITES
from tap_crm.report.facts import Account, Remark, Stream, Written
from tap_crm.storage.database import FAULTS, cause
from tap_crm.sync.state import StreamState, plain_state, states_of

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Names standard input, which is what other commands write to theirs.
STANDARD_INPUT = "-"
NO_JSON = "`--state`: {place} is no state; it is a file of JSON, a STATE line, or what `meltano state get` prints"


def account_in(place: str) -> Account:
    """Return what a state tells: bookmarks and complete reads, and nothing of how runs ended.

    Raises:
        ConfigError: it cannot be read, or is no state.
    """
    shown = "standard input" if place == STANDARD_INPUT else place
    try:
        text = sys.stdin.read() if place == STANDARD_INPUT else Path(place).read_text("utf-8")
    except OSError as error:
        raise ConfigError(f"`--state`: {shown} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigError(NO_JSON.format(place=shown)) from None
    try:
        # Of lines, the last is the newest: a loader writes one whenever it has stored what came before.
        lines = [line for line in text.splitlines() if line.strip()]
        given = json.loads(lines[-1]) if len(lines) > 1 and lines[0].rstrip().endswith("}") else json.loads(text)
        states = states_of(plain_state(given))
    except (ValueError, ConfigError):
        raise ConfigError(NO_JSON.format(place=shown)) from None
    streams = [_stream(name, kept) for name, kept in sorted(states.items()) if name != AUDIT]
    remarks = [one for name, kept in sorted(states.items()) for one in _remarks(name, kept)]
    name = "state" if place == STANDARD_INPUT else Path(place).stem
    return Account(name, None, f"state, from {shown}", streams, remarks=remarks, from_state=True)


def _stream(name: str, kept: StreamState) -> Stream:
    try:
        bookmark = kept.bookmark_at(name)
    except ConfigError:
        bookmark = None
    whole = None if kept.reconciled_at is None else float(kept.reconciled_at)
    up_to = whole if bookmark is None else float(bookmark)
    counted = kept.rows if kept.rows is not None else None
    return Stream(name, up_to=up_to, gone_up_to=whole, counted=counted, unfinished=kept.going_on is not None)


def _remarks(name: str, kept: StreamState) -> Iterator[Remark]:
    if kept.left_at is not None:
        text = "the last run left it to the next one, since it had used what it may use (max_run_minutes, "
        yield Remark(name, f"{text}max_run_requests)", float(kept.left_at))
    for listed, since in sorted(kept.empty_since.items()):
        yield Remark(name, f"the list `{listed}` is found empty, and was not before: it is asked again", float(since))


def written_in(journal: str) -> tuple[str | None, list[Written]]:
    """Return the CRM of a journal of ``target-crm``, and what was written, by object and outcome.

    Args:
        journal: a file's path, or a URL of PostgreSQL, which no message shows.

    Raises:
        ConfigError: it is none, or cannot be read.
    """
    counted = sa.select(WRITES.c.object, WRITES.c.outcome, sa.func.count(), sa.func.max(WRITES.c.settled))
    grouped = counted.group_by(WRITES.c.object, WRITES.c.outcome).order_by(WRITES.c.object, WRITES.c.outcome)
    try:
        with reading(journal) as connection:
            there = sa.inspect(connection)
            if not all(there.has_table(table.name) for table in (FACTS, WRITES)):
                raise ConfigError("`--journal` names something that is no journal of target-crm")
            facts = {row.name: row.value for row in connection.execute(sa.select(FACTS))}
            if facts.get(FORM) != VERSION:
                raise ConfigError(f"the journal has the form {facts.get(FORM)}, this version knows {VERSION}")
            rows = connection.execute(grouped).all()
    except FileNotFoundError:
        raise ConfigError(f"`--journal`: there is no file {journal}") from None
    except FAULTS as error:
        raise ConfigError(f"`--journal` cannot be opened: {cause(error)}") from None
    return facts.get(PROVIDER), [Written(*row) for row in rows]
