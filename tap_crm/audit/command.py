"""The command line of ``tap-crm-audit``."""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from tap_crm import errors
from tap_crm.audit.audit import Audit, Report
from tap_crm.audit.database import database_at
from tap_crm.audit.deletions import MARK, REMOVE, print_statements
from tap_crm.audit.options import database_option
from tap_crm.audit.report import as_text, write_table
from tap_crm.audit.streams import open_account
from tap_crm.config.config_option import config_option
from tap_crm.singer.progress import make_list_of_streams

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tap_crm.audit.database import Database

NAME = "tap-crm-audit"
EQUAL, NOT_EQUAL, NOT_COMPARED, INTERRUPTED = 0, 1, 2, 130

_EPILOG = """
Exit codes: 0 if every stream is equal; 1 if one differs, or could not be compared; 2 if none could be compared, with
one line that says why.
"""


@click.command(NAME, epilog=_EPILOG, context_settings={"help_option_names": ["--help"], "max_content_width": 100})
@config_option
@database_option(required=True)
@click.option(
    "--schema",
    metavar="NAME",
    help="Where the tables are. Without it: the schema named after the CRM, else public (PostgreSQL) or main (DuckDB).",
)
@click.option(
    "--catalog",
    metavar="FILE",
    help="The catalog that the runs use. Without it, what is selected by default is compared.",
)
@click.option("--streams", metavar="NAMES", help="Compare these streams only, selected or not: people,companies.")
@click.option(
    "--print-sql",
    "effect",
    type=click.Choice([MARK, REMOVE]),
    is_flag=False,
    flag_value=MARK,
    help="Compare nothing: print a statement for each loaded table that marks what is gone (_sdc_deleted_at), or "
    "deletes it, for loaders that do not. Needs no --config; without --schema, for every schema.",
)
@click.option(
    "--json",
    "json_to",
    metavar="FILE|-",
    help="Write the report as JSON, too; to standard output, then instead of the table, with -.",
)
@click.option(
    "--limit",
    type=click.IntRange(min=0),
    default=10,
    show_default=True,
    metavar="N",
    help="How many ids to name of each difference of a stream.",
)
def command(  # noqa: PLR0913 - one for each option
    *,
    configs: Sequence[str],
    address: str,
    schema: str | None,
    catalog: str | None,
    streams: str | None,
    effect: str | None,
    json_to: str | None,
    limit: int,
) -> int:
    """Compare what was loaded into a database with what the CRM has, stream by stream.

    Reads the CRM completely, as a first run of the tap does, and the table of each stream. Names the ids of records
    that are missing in the table, of rows that the CRM does not have, and of rows in an older version. Changes nothing.
    """
    _set_level(_level())
    if json_to not in (None, "-") and not Path(json_to).resolve().parent.is_dir():
        raise errors.ConfigError(f"`--json`: there is no folder for the file {json_to}")
    database = database_at(address)
    if effect is not None:
        return _print_sql(database, schema, effect)
    names = [name.strip() for name in (streams or "").split(",") if name.strip()]
    account = open_account(configs, catalog, names)
    progress = make_list_of_streams()
    try:
        report = Audit(account, database, schema, limit, progress).run()
    finally:
        progress.close()
        account.close()
    _write(report, json_to)
    return EQUAL if report.equal else NOT_EQUAL


def _print_sql(database: Database, schema: str | None, effect: str) -> int:
    """Print the statements; the database is not in use any more while somebody carries them out."""
    with database.open() as connection:
        lines = list(print_statements(connection, schema, effect))
    for line in lines:
        click.echo(line)
    return EQUAL


def _set_level(level: int) -> None:
    """Write what the tap says, from this level on, to standard error; standard output is for the report."""
    logging.basicConfig(format="%(levelname)-8s | %(message)s")
    logging.getLogger("tap-crm").setLevel(level)


def _level() -> int:
    return logging.getLevelNamesMapping().get(os.environ.get("TAP_CRM_LOGLEVEL", "").upper(), logging.WARNING)


def _write(report: Report, json_to: str | None) -> None:
    if json_to == "-":
        sys.stdout.write(as_text(report))
        return
    write_table(report, sys.stdout)
    if json_to is not None:
        Path(json_to).write_text(as_text(report), "utf-8")


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command ``tap-crm-audit``; a foreseeable failure is one line and exit code 2."""
    try:
        code = command.main(arguments, prog_name=NAME, standalone_mode=False)
    except click.ClickException as error:
        error.show()
        code = NOT_COMPARED
    except click.Abort:
        code = INTERRUPTED
    except errors.CrmError as error:
        code = _failed(str(error))
    except OSError as error:
        code = _failed(f"the report could not be written: {error.strerror}: {error.filename or 'standard output'}")
    sys.exit(code)


def _failed(message: str) -> int:
    click.echo(f"{NAME}: {message}", err=True)
    return NOT_COMPARED
