"""Statements that mark or remove what is gone: for loaders that ignore ACTIVATE_VERSION, and for shared tables.

``sync_audit`` says since when all rows of a stream were written that are there (``whole_since``). A row that was read
before is gone. Where ``sync_audit`` has a column of the account (setting ``account_column``), each account's rows are
held against its own runs: it is any column that is neither the audit's own nor a loader's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tap_crm.audit.database import DatabaseError, quoted
from tap_crm.audit.tables import account_columns, named, schemas_of
from tap_crm.contract.stream import AUDIT
from tap_crm.shaping.schema import DELETED_AT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tap_crm.audit.database import Connection
    from tap_crm.audit.tables import Schema

MARK, REMOVE = "mark", "delete"
#: When a row was read, as loaders write it.
EXTRACTED_AT = "_sdc_extracted_at"
_NEEDED = ("stream", "complete", "whole_since")


def print_statements(connection: Connection, schema: str | None, effect: str) -> Iterator[str]:
    """Yield the lines of statements for each loaded table.

    Args:
        connection: of the loaded database, which is only read.
        schema: where the tables are; None for every schema that has a table ``sync_audit``.
        effect: ``mark`` sets ``_sdc_deleted_at``, ``delete`` removes rows.

    Raises:
        DatabaseError: there is no table that says since when all is loaded.
    """
    known = schemas_of(connection)
    found = (
        list(known.values()) if schema is None else [known[one] for one in [named(known, schema)] if one is not None]
    )
    audited = [one for one in found if one.has(AUDIT) and not one.lacks(AUDIT, _NEEDED)]
    if not audited:
        where = "in the database" if schema is None else f"in the schema `{schema}`"
        raise DatabaseError(f"there is no table `{AUDIT}` {where}, which says since when all is loaded; select it")
    for one in audited:
        yield from _of_schema(connection, one, effect)


def _of_schema(connection: Connection, schema: Schema, effect: str) -> Iterator[str]:
    stream = _column(schema, AUDIT, "stream")
    query = f"SELECT DISTINCT {stream} FROM {schema.table(AUDIT)} ORDER BY 1"  # noqa: S608 - quoted
    accounts = account_columns(schema)
    for (name,) in connection.rows(query):
        if name != AUDIT and schema.has(name):
            yield from _of_table(schema, name, effect, accounts)


def _of_table(schema: Schema, stream: str, effect: str, accounts: Sequence[str]) -> Iterator[str]:
    """Yield the statement for a table; a comment where there can be none."""
    if schema.lacks(stream, (EXTRACTED_AT,)):
        yield f"-- {schema.table(stream)}: no `{EXTRACTED_AT}`, so nothing can be said; let the loader add it"
        return
    if lacking := schema.lacks(stream, accounts):
        yield f"-- {schema.table(stream)}: no `{lacking[0]}`, so its rows cannot be told apart by account"
        return
    if effect == MARK and schema.lacks(stream, (DELETED_AT,)):
        yield f"-- {schema.table(stream)}: no `{DELETED_AT}` to mark rows in; let the loader add it, or use `delete`"
        return
    yield _statement(schema, stream, effect, accounts)


def _statement(schema: Schema, stream: str, effect: str, accounts: Sequence[str]) -> str:
    table, audit = schema.table(stream), schema.table(AUDIT)
    name, complete, since = (_column(schema, AUDIT, one) for one in _NEEDED)
    per = "".join(f", {_column(schema, AUDIT, one)}" for one in accounts)
    text = stream.replace("'", "''")
    runs = (
        f"(SELECT max(CAST({since} AS TIMESTAMP)) AS at{per} FROM {audit} WHERE {name} = '{text}' AND {complete}"  # noqa: S608 - quoted
        f"{f' GROUP BY {per[2:]}' if per else ''}) AS whole"
    )
    conditions = [f"CAST(loaded.{_column(schema, stream, EXTRACTED_AT)} AS TIMESTAMP) < whole.at"]
    conditions += [f"loaded.{_column(schema, stream, one)} = whole.{_column(schema, AUDIT, one)}" for one in accounts]
    if effect == REMOVE:
        return f"DELETE FROM {table} AS loaded USING {runs} WHERE {' AND '.join(conditions)};"  # noqa: S608 - quoted
    deleted = _column(schema, stream, DELETED_AT)
    kind = schema.columns(stream)[named(schema.columns(stream), DELETED_AT) or DELETED_AT]
    conditions.append(f"loaded.{deleted} IS NULL")
    return (
        f"UPDATE {table} AS loaded SET {deleted} = CAST(whole.at AS {kind}) FROM {runs} "  # noqa: S608 - quoted
        f"WHERE {' AND '.join(conditions)};"
    )


def _column(schema: Schema, stream: str, name: str) -> str:
    columns: Mapping[str, str] = schema.columns(stream)
    return quoted(named(columns, name) or name)
