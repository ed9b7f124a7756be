"""What a loaded database tells: an account for each schema with a table ``sync_audit``, and for each owner in it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tap_crm.audit.database import DatabaseError, quoted
from tap_crm.audit.tables import BEHIND_THE_CLOCK, account_columns, named, schemas_of
from tap_crm.contract.stream import AUDIT, WRITES
from tap_crm.report.audit_table import NEEDED, AuditTable, Owner, owners, time_sql
from tap_crm.report.facts import Account, Read, Stream, Written
from tap_crm.shaping.schema import DELETED_AT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tap_crm.audit.database import Connection, Database
    from tap_crm.audit.tables import Schema

#: The loader's time of a row.
EXTRACTED_AT = "_sdc_extracted_at"
#: What such a column is usually called.
_USUAL = ("_account", "account")
_KINDS = {"duckdb": "DuckDB", "postgresql": "PostgreSQL"}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be read of a database.

    Attributes:
        since: epoch seconds; history from there on.
        schemas: only these; none for all that have the table.
        account_column: the column that tells accounts apart in tables that several of them share; None to find it.
        counts_rows: whether the rows of each table are counted.
    """

    since: float
    schemas: Sequence[str] = ()
    account_column: str | None = None
    counts_rows: bool = True


def accounts_in(database: Database, wanted: Wanted) -> list[Account]:
    """Return what is known of each account, in the order of their schemas.

    Raises:
        DatabaseError: the database cannot be read, or has no table ``sync_audit``.
    """
    with database.open() as connection:
        found = schemas_of(connection)
        schemas = _chosen(found, wanted.schemas)
        accounts = [account for schema in schemas for account in _of_schema(connection, database.kind, schema, wanted)]
    if not accounts:
        raise DatabaseError(f"the tables `{AUDIT}` of {', '.join(one.name for one in schemas)} have no rows yet")
    return accounts


def _chosen(found: Mapping[str, Schema], names: Sequence[str]) -> list[Schema]:
    """Return the schemas that are wanted and have the audit.

    Raises:
        DatabaseError: there is none, or not one of those that are named.
    """
    telling = {name: one for name, one in found.items() if one.has(AUDIT) and not one.lacks(AUDIT, NEEDED)}
    there = ", ".join(sorted(telling)) or "none at all"
    for name in names:
        if named(telling, name) is None:
            raise DatabaseError(f"the schema `{name}` has no table `{AUDIT}`; schemas that have one: {there}")
    if not telling:
        raise DatabaseError(
            f"no schema of the database has a table `{AUDIT}`: select the stream `{AUDIT}`, which each run writes; "
            f"schemas with tables: {', '.join(sorted(found)) or 'none at all'}"
        )
    chosen = [named(telling, name) for name in names] if names else sorted(telling)
    return [telling[name] for name in chosen if name is not None]


def _of_schema(connection: Connection, kind: str, schema: Schema, wanted: Wanted) -> Iterator[Account]:
    account_column = wanted.account_column or _account_column(schema)
    table = AuditTable(connection, schema, wanted.since, account_column)
    last, whole = table.newest(complete=False), table.newest(complete=True)
    gone, days, runs = table.deletions_known(), table.days(), table.runs()
    failures, incomplete, remarks = table.failures(), table.incomplete(), table.remarks()
    written = _written(connection, schema)
    everyone = owners(last)
    for owner in everyone:
        streams = []
        for name, read in last[owner].items():
            found = whole.get(owner, {}).get(name)
            failed = [at for run, at in incomplete.get(owner, {}).get(name, []) if found is None or run > found.run_id]
            gone_up_to = gone.get(owner, {}).get(name)
            counted = _Counted(schema, name, owner, account_column, gone_up_to)
            rows = counted.rows(connection) if wanted.counts_rows else (None, None, None)
            streams.append(
                Stream(
                    name,
                    read,
                    found,
                    loaded_up_to(found),
                    gone_up_to,
                    days.get(owner, {}).get(name, {}),
                    *rows,
                    failed=len(failed),
                    failing_since=failed[-1] if failed else None,
                )
            )
        yield Account(
            _name(schema, owner, everyone),
            owner.provider,
            f"schema {schema.name}, {_KINDS.get(kind, kind)}",
            sorted(streams, key=lambda one: one.name),
            runs.get(owner, []),
            failures.get(owner, []),
            remarks.get(owner, []),
            written.get(owner.provider, []),
        )


def loaded_up_to(read: Read | None) -> float | None:
    """Return up to when a stream is loaded, by its last complete read."""
    if read is None or read.read_to is not None:
        return None if read is None else read.read_to
    return None if read.started is None else read.started - BEHIND_THE_CLOCK


def _account_column(schema: Schema) -> str | None:
    """Return the column that tells accounts apart; of several that may, the one with a usual name, else none."""
    found = account_columns(schema)
    if len(found) == 1:
        return found[0]
    return next((name for name in found if name.casefold() in _USUAL), None)


def _name(schema: Schema, owner: Owner, everyone: Sequence[Owner]) -> str:
    if owner.account is not None:
        return owner.account
    return schema.name if len(everyone) == 1 else f"{schema.name}, {owner.provider}"


@dataclass(frozen=True, slots=True)
class _Counted:
    """What is counted: a stream's table, and of a shared one the rows of an account."""

    schema: Schema
    stream: str
    owner: Owner
    account_column: str | None
    gone_up_to: float | None

    def rows(self, connection: Connection) -> tuple[int | None, int | None, int | None]:
        """Return how many rows are present, how many marked as deleted, and how many neither marked nor found again."""
        columns = self.schema.columns(self.stream)
        if not columns:
            return None, None, None
        mark, extracted = named(columns, DELETED_AT), named(columns, EXTRACTED_AT)
        is_marked = "1 = 0" if mark is None else f"{quoted(mark)} IS NOT NULL"
        is_gone = "1 = 0"
        if extracted is not None and self.gone_up_to is not None:
            is_gone = f"NOT ({is_marked}) AND {time_sql(extracted, columns[extracted])} < {self.gone_up_to!r}"
        name = None if self.owner.account is None else self.account_column
        column = None if name is None else named(columns, name)
        whose = "" if column is None else f"WHERE CAST({quoted(column)} AS VARCHAR) = {_literal(self.owner.account)}"
        sums = ", ".join(f"sum(CASE WHEN {one} THEN 1 ELSE 0 END)" for one in (is_marked, is_gone))
        query = f"SELECT count(*), {sums} FROM {self.schema.table(self.stream)} {whose}"  # noqa: S608 - quoted
        ((every, marked, gone),) = connection.rows(query)
        marked, gone = int(marked or 0), int(gone or 0)
        return int(every) - marked - gone, marked, gone


def _literal(text: str | None) -> str:
    return "'{}'".format((text or "").replace("'", "''"))


def _written(connection: Connection, schema: Schema) -> Mapping[str | None, list[Written]]:
    """Return by CRM what the table ``writes`` says that ``target-crm`` has written."""
    needed = ("provider", "object", "outcome", "settled_at")
    if not schema.has(WRITES) or schema.lacks(WRITES, needed):
        return {}
    columns = schema.columns(WRITES)
    crm, what, outcome, settled = (named(columns, name) or name for name in needed)
    texts = ", ".join(f"CAST({quoted(name)} AS VARCHAR)" for name in (crm, what, outcome))
    query = f"""
        SELECT {texts}, count(*), max({time_sql(settled, columns[settled])})
        FROM {schema.table(WRITES)} GROUP BY {texts} ORDER BY 2, 3
    """  # noqa: S608 - quoted
    found: dict[str | None, list[Written]] = defaultdict(list)
    for provider, of, ended, count, last in connection.rows(query):
        found[provider].append(Written(str(of), str(ended), count, None if last is None else float(last)))
    return found
