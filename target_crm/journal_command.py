"""The command line of ``target-crm-journal``: what is in a journal, and what to do with it."""

from __future__ import annotations

import io
import json
import logging
import sys
from contextlib import closing
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from tap_crm import errors
from tap_crm.contract.command import DONE, run_command
from tap_crm.contract.signals import FAILED
from tap_crm.storage.database import is_postgresql
from target_crm.config.settings import journal_of
from target_crm.journal.belonging import Belonging
from target_crm.journal.history import History
from target_crm.journal.journal import Journal
from target_crm.singer.target import TargetCRM, given_by
from target_crm.sync.verify import Verification

if TYPE_CHECKING:
    from collections.abc import Sequence

    from target_crm.journal.history import Listing

NAME = "target-crm-journal"
_TIMES = ("at", "began", "ended", "first")

_CONFIG = "The target's config, a JSON file, or ENV for variables (TARGET_CRM_API_KEY …). May be given several times."
_journal = click.option("--journal", "address", metavar="J", help="A file, or a postgresql+psycopg:// URL.")
_config = click.option("--config", "configs", multiple=True, metavar="C", help=_CONFIG)
_stream = click.option("--stream", metavar="NAME", help="Of this stream only.")
_json = click.option("--json", "as_json", is_flag=True, help="JSON lines instead of a table.")


@click.group(NAME, context_settings={"help_option_names": ["--help"], "max_content_width": 100})
def command() -> None:
    """Show what target-crm wrote, what it could not write, and settle what is open.

    The journal is named by --journal, or by `journal` in --config.
    """
    logging.basicConfig(format="%(message)s", stream=sys.stderr)


@command.command()
@_journal
@_config
@_json
def show(*, address: str | None, configs: Sequence[str], as_json: bool) -> int:
    """Show runs, how records ended, and writes of which nobody knows whether they took effect."""
    with closing(_open(address, configs, exclusive=False)) as journal:
        history = History(journal)
        _tell("runs", history.runs(), as_json=as_json)
        _tell("records", history.counts(), as_json=as_json)
        _tell("open writes", history.open_intents(), as_json=as_json)
    return DONE


@command.command()
@_journal
@_config
@_stream
@_json
def rejects(*, address: str | None, configs: Sequence[str], stream: str | None, as_json: bool) -> int:
    """Show the records that were rejected and are tried again at the end of the next run."""
    with closing(_open(address, configs, exclusive=False)) as journal:
        _tell("rejects", History(journal).rejects(stream), as_json=as_json)
    return DONE


@command.command()
@_journal
@_config
def retry(*, address: str | None, configs: Sequence[str]) -> int:
    """Try again what was rejected, as the end of a run does."""
    _target(address, configs).run(io.StringIO(""))
    return DONE


@command.command()
@_journal
@_config
@_stream
@_json
def verify(*, address: str | None, configs: Sequence[str], stream: str | None, as_json: bool) -> int:
    """Read back what was written; exit 1 if the CRM differs."""
    target = _target(address, configs)
    writer = target.make_writer()
    verification = Verification(writer)
    count = 0
    with closing(_open(address, configs, exclusive=False)) as journal:
        belonging = Belonging(journal)
        belonging.check_provider(target.settings.connection.provider)
        belonging.check_account(writer.accounts())
        records = History(journal).written(stream)
        for difference in verification.differences(records, target.settings.stream):
            count += 1
            _tell_difference(asdict(difference), as_json=as_json)
    click.echo(f"{verification.compared} records read back, {count} differences", err=True)
    return FAILED if count else DONE


@command.command()
@_journal
@_config
@click.option("--stream", required=True, metavar="NAME", help="The stream.")
@click.option("--key", "keys", required=True, multiple=True, metavar="KEY", help="A key; may be given again.")
def drop(*, address: str | None, configs: Sequence[str], stream: str, keys: Sequence[str]) -> int:
    """Forget keys: the CRM's ids of them, what is open of them, what was rejected. The next run takes them for new."""
    with closing(_open(address, configs, exclusive=True)) as journal:
        known = History(journal).drop(stream, keys)
    click.echo(f"{known} of {len(keys)} keys of {stream} forgotten", err=True)
    return DONE if known == len(keys) else FAILED


def _open(address: str | None, configs: Sequence[str], *, exclusive: bool) -> Journal:
    """Return a journal that is there.

    Raises:
        ConfigError: it is not.
    """
    found = journal_of(address or given_by(configs).get("journal"))
    if not is_postgresql(found) and not Path(found).is_file():
        raise errors.ConfigError(f"there is no journal `{found}`; name it by --journal, or by `journal` in --config")
    return Journal(found, exclusive=exclusive)


def _target(address: str | None, configs: Sequence[str]) -> TargetCRM:
    if not configs:
        raise errors.ConfigError("this asks the CRM, so it needs the target's settings: --config")
    return TargetCRM(config={**given_by(configs), **({} if address is None else {"journal": address})})


def _tell(title: str, rows: Listing, *, as_json: bool) -> None:
    """Show rows; the columns of a table become wider where a page of it asks for that."""
    if not as_json:
        click.echo(f"{title}: {rows.count or 'none'}")
    widths: dict[str, int] = {}
    for page in rows.pages:
        shown = [{name: _shown(name, value) for name, value in row.items()} for row in page]
        if as_json:
            for row in shown:
                click.echo(json.dumps({"kind": title, **row}, ensure_ascii=False))
            continue
        head = [] if widths or not shown else [{name: name for name in shown[0]}]
        lines: list[dict[str, Any]] = [*head, *shown]
        for name in lines[0] if lines else ():
            widths[name] = max(widths.get(name, 0), *(len(str(line[name])) for line in lines))
        for line in lines:
            click.echo(f"  {'  '.join(str(line[name]).ljust(width) for name, width in widths.items()).rstrip()}")


def _tell_difference(row: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(row, ensure_ascii=False, default=str))
    elif row["field"] is None:
        click.echo(f"{row['stream']} {row['key']} (id {row['crm_id']}): gone")
    else:
        said = f"written {row['written']!r}, there is {row['present']!r}"
        click.echo(f"{row['stream']} {row['key']} (id {row['crm_id']}): {row['field']}: {said}")


def _shown(name: str, value: Any) -> Any:  # noqa: ANN401
    if name in _TIMES and isinstance(value, float):
        return f"{datetime.fromtimestamp(value, UTC):%Y-%m-%dT%H:%M:%SZ}"
    return "" if value is None else value


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command ``target-crm-journal``; a foreseeable failure is one line and exit code 1."""
    run_command(command, arguments, NAME)
