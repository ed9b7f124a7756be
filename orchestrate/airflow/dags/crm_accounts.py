"""The accounts that are loaded each night: read from YAML, CSV or SQL, and checked before anything is loaded.

This file needs Airflow only where accounts come from SQL. `docs/airflow.md` tells of each column.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

CRMS = ("copper", "close", "copera")
WAYS = ("pipe", "meltano")
COLUMNS = frozenset({"account", "crm", "connection", "schema", "streams", "parts", "way", "requests_per_minute"})
SQL = "sql:"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,60}")


class AccountsError(Exception):
    """The list of accounts cannot be used; the text says which row, and why."""


@dataclass(frozen=True, slots=True)
class Load:
    """One task: an account, or a part of a huge one.

    Attributes:
        account: its name.
        crm: which CRM it is of.
        connection: the Airflow connection that has its key.
        schema: the schema of the warehouse into which it is loaded.
        part: names the part; "" for a whole account.
        select: rules that say which streams are read; "" for all.
        way: `pipe` or `meltano`.
        requests_per_minute: the most requests of the task; "" for the CRM's own limit.
    """

    account: str
    crm: str
    connection: str
    schema: str
    part: str = ""
    select: str = ""
    way: str = "pipe"
    requests_per_minute: str = ""

    @property
    def name(self) -> str:
        """What the task is called."""
        return f"{self.account}/{self.part}" if self.part else self.account

    def params(self) -> dict[str, str]:
        """Return the task's parameters."""
        return {
            "NAME": self.name,
            "ACCOUNT": self.account,
            "CONNECTION": self.connection,
            "SCHEMA": self.schema,
            "PART": self.part,
            "SELECT": self.select,
            "WAY": self.way,
            "REQUESTS_PER_MINUTE": self.requests_per_minute,
        }


def read_accounts(source: str) -> list[Load]:
    """Read all accounts.

    Args:
        source: a file, `….yaml` or `….csv`, or `sql:CONNECTION/TABLE`, a table that an Airflow connection reaches.

    Raises:
        AccountsError: there is none, or one cannot be used.
    """
    rows = _rows_of(source)
    loads = [load for number, row in enumerate(rows, start=1) for load in _loads(row, number)]
    if not loads:
        raise AccountsError(f"{source}: there is no account, so nothing would be loaded and the run would look well")
    twice = [name for name, count in Counter(load.name for load in loads).items() if count > 1]
    if twice:
        raise AccountsError(f"{source}: these are there twice: {', '.join(twice)}")
    return loads


def of_crm(source: str, crm: str) -> list[dict[str, str]]:
    """Return the parameters of the tasks of one CRM; there may be none.

    Raises:
        AccountsError: the whole list is empty, or cannot be used.
    """
    return [load.params() for load in read_accounts(source) if load.crm == crm]


def failed(expected: Mapping[str, list[str]], states: Mapping[str, str]) -> tuple[int, list[str]]:
    """Return how many loads there should be, and which of them did not succeed.

    Args:
        expected: the names of the loads of each operator, in the order of their tasks.
        states: what became of each task, by `OPERATOR_NUMBER`.
    """
    known = {f"{task}_{number}": name for task, names in expected.items() for number, name in enumerate(names)}
    wrong = [f"{name} ({states.get(key) or 'not run'})" for key, name in known.items() if states.get(key) != "success"]
    return len(known), wrong


def _rows_of(source: str) -> Iterable[Mapping[str, Any]]:
    if source.startswith(SQL):
        return _rows_of_table(*source.removeprefix(SQL).partition("/")[::2])
    path = Path(source)
    try:
        text = path.read_text("utf-8")
    except OSError as error:
        raise AccountsError(f"{source}: {error.strerror}") from None
    if path.suffix == ".csv":
        return list(csv.DictReader(text.splitlines()))
    import yaml  # noqa: PLC0415 - Airflow's own, and not needed for the others

    try:
        found = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise AccountsError(f"{source}: no YAML: {' '.join(str(error).split())}") from None
    if not isinstance(found, list) or not all(isinstance(row, dict) for row in found):
        raise AccountsError(f"{source}: must be a list of accounts")
    return found


def _rows_of_table(connection: str, table: str) -> list[dict[str, Any]]:
    from airflow.sdk import BaseHook  # noqa: PLC0415 - only where it is used

    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_.]*", table):
        raise AccountsError(f"`{table}` is no name of a table; write sql:CONNECTION/TABLE")
    cursor = BaseHook.get_hook(connection).get_conn().cursor()
    cursor.execute(f"SELECT * FROM {table}")  # noqa: S608 - the name was checked
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def _loads(row: Mapping[str, Any], number: int) -> Iterable[Load]:
    where = f"account {number}"
    given = {str(key): value for key, value in row.items() if value not in (None, "", [])}
    if unknown := sorted(given.keys() - COLUMNS):
        raise AccountsError(f"{where}: there is no column {', '.join(unknown)}")
    account, crm, way = (str(given.get(key, usual)) for key, usual in (("account", ""), ("crm", ""), ("way", "pipe")))
    if not _NAME.fullmatch(account):
        raise AccountsError(f"{where}: `account` must be of letters, digits, `-` and `_`")
    if crm not in CRMS:
        raise AccountsError(f"{where} ({account}): `crm` must be one of {', '.join(CRMS)}")
    if way not in WAYS:
        raise AccountsError(f"{where} ({account}): `way` must be one of {', '.join(WAYS)}")
    parts = _parts(given.get("parts"), f"{where} ({account})")
    if parts and "streams" in given:
        raise AccountsError(f"{where} ({account}): `streams` and `parts` exclude each other")
    for part, select in (parts or {"": _listed(given.get("streams"))}).items():
        yield Load(
            account,
            crm,
            str(given.get("connection", f"crm_{account}")),
            str(given.get("schema", account.lower().replace("-", "_"))),
            part,
            select,
            way,
            str(given.get("requests_per_minute", "")),
        )


def _parts(given: Any, where: str) -> dict[str, str]:  # noqa: ANN401 - whatever the file has
    """Return the rules of each part; in CSV and SQL they are `NAME: RULES; NAME: RULES`."""
    if isinstance(given, str):
        pairs = [part.partition(":") for part in given.split(";") if part.strip()]
        given = {name.strip(): rules for name, _, rules in pairs}
    if given is None:
        return {}
    if not isinstance(given, dict) or not all(_NAME.fullmatch(str(name)) and _listed(given[name]) for name in given):
        raise AccountsError(f"{where}: `parts` must give each part's name its streams")
    return {str(name): _listed(rules) for name, rules in given.items()}


def _listed(rules: Any) -> str:  # noqa: ANN401 - whatever the file has
    texts = rules if isinstance(rules, list) else str(rules or "").split(",")
    return ",".join(str(text).strip() for text in texts if str(text).strip())
