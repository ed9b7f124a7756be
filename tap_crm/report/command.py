"""The command line of ``tap-crm-report``."""

from __future__ import annotations

import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click
from click.core import ParameterSource

from tap_crm.audit.database import HOW_TO_INSTALL, database_at
from tap_crm.audit.options import database_option
from tap_crm.contract.command import run_command
from tap_crm.errors import ConfigError
from tap_crm.report.facts import DAY
from tap_crm.report.judging import judge
from tap_crm.report.kept import account_in, written_in
from tap_crm.report.loaded import Wanted, accounts_in

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tap_crm.report.facts import Account

NAME = "tap-crm-report"
STANDARD_OUTPUT = "-"
#: A daily schedule, and a bit.
MAX_AGE = 26.0

_EPILOG = """
Exit codes: 0 if the page was written, whatever it says; 1 if it was not, with one line that says why.
"""


@click.command(NAME, epilog=_EPILOG, context_settings={"help_option_names": ["--help"], "max_content_width": 100})
@database_option(required=False)
@click.option(
    "--state",
    "states",
    multiple=True,
    metavar="FILE|-",
    help="A state instead: a file, or standard input with -, also of what `meltano state get` prints. It tells up to "
    "when each stream is loaded, and nothing of how runs ended. May be given several times.",
)
@click.option(
    "--schema",
    "schemas",
    multiple=True,
    metavar="NAME",
    help="Only this schema; may be given several times. Without it, each one that has a table sync_audit.",
)
@click.option("--out", default="report.html", show_default=True, metavar="FILE|-", help="Where the page is written to.")
@click.option(
    "--days", type=click.IntRange(1, 366), default=30, show_default=True, metavar="N", help="Days of history to show."
)
@click.option(
    "--max-age",
    type=click.FloatRange(min=0, min_open=True),
    default=MAX_AGE,
    show_default=True,
    metavar="HOURS",
    help="What is loaded up to a time longer ago than this is old.",
)
@click.option(
    "--requests-per-minute",
    type=click.FloatRange(min=0, min_open=True),
    metavar="N",
    help="The limit that requests are held against. Without it, the one that the CRM documents.",
)
@click.option(
    "--journal", metavar="FILE|URL", help="A journal of target-crm, whose writes are shown; else the table writes is."
)
@click.option(
    "--account-column",
    metavar="NAME",
    help="The column that tells accounts apart, where several of them share tables. Without it, it is found in "
    "sync_audit: the one column that is neither its own nor a loader's.",
)
@click.option("--count/--no-count", default=True, help="Whether the rows of each table are counted.")
def command(  # noqa: PLR0913 - one for each option
    *,
    address: str | None,
    states: Sequence[str],
    schemas: Sequence[str],
    out: str,
    days: int,
    max_age: float,
    requests_per_minute: float | None,
    journal: str | None,
    account_column: str | None,
    count: bool,
) -> None:
    """Write one page that says whether what was loaded is complete and fresh, and what to do where it is not.

    Reads the table sync_audit of a loaded database, or a state; asks no CRM and changes nothing. The page is one HTML
    file that loads nothing else and holds no content of records.
    """
    source = click.get_current_context().get_parameter_source("address")
    if states and source is ParameterSource.ENVIRONMENT:
        address = None
    if (address is None) == (not states):
        raise click.UsageError("give either `--database` or `--state`")
    make_page = _maker()
    if out != STANDARD_OUTPUT and not Path(out).resolve().parent.is_dir():
        raise ConfigError(f"`--out`: there is no folder for the file {out}")
    now = time.time()
    if address is not None:
        wanted = Wanted((now // DAY - days + 1) * DAY, schemas, account_column, counts_rows=count)
        accounts = accounts_in(database_at(address), wanted)
    else:
        accounts = [account_in(state) for state in states]
    if journal is not None:
        accounts = _with_writes(accounts, journal)
    verdicts = [judge(account, now, max_age * 3600, days) for account in accounts]
    _write(make_page(verdicts, days, max_age * 3600, requests_per_minute, now), out)


def _maker() -> Callable[..., str]:
    """Return what makes the page.

    Raises:
        ConfigError: the template engine is not installed.
    """
    try:
        from tap_crm.report.page import page_of  # noqa: PLC0415 - an optional dependency
    except ModuleNotFoundError as error:
        raise ConfigError(f"the package `{error.name}` is not installed beside tap-crm; {HOW_TO_INSTALL}") from None
    return page_of


def _write(page: str, out: str) -> None:
    """Write the page; whoever opens the file sees an earlier page or this one, never a part."""
    if out == STANDARD_OUTPUT:
        sys.stdout.write(page)
        return
    part = Path(f"{out}.part")
    part.write_text(page, "utf-8")
    part.replace(out)
    click.echo(f"{NAME}: the page is {out}", err=True)


def _with_writes(accounts: Sequence[Account], journal: str) -> list[Account]:
    """Return the accounts with what a journal has written to its CRM.

    Raises:
        ConfigError: no account is of that CRM.
    """
    provider, written = written_in(journal)
    if not any(one.provider in (provider, None) for one in accounts):
        raise ConfigError(f"`--journal` names one of `{provider}`, and no account of it was loaded")
    return [replace(one, written=written) if one.provider in (provider, None) else one for one in accounts]


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command ``tap-crm-report``; a foreseeable failure is one line and exit code 1."""
    run_command(command, arguments, NAME)
