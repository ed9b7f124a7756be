"""The command line of ``load-account``."""

from __future__ import annotations

import logging
import os
import re
import signal
import sys
import time
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, NoReturn

import click

from tap_crm.config.redaction import redact_logs
from tap_crm.contract.command import run_command
from tap_crm.contract.signals import Terminated
from tap_crm.errors import ConfigError
from tap_crm.load.catalog import rules_of
from tap_crm.load.job import OURS, Job, prefix_of, without
from tap_crm.load.meltano_run import is_meltano, run_meltano
from tap_crm.load.outcome import LOCKED
from tap_crm.load.pipe import run_pipe
from tap_crm.load.processes import Limits
from tap_crm.load.state_table import Locked, open_table

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tap_crm.load.outcome import Outcome
    from tap_crm.load.state_table import StateTable

NAME = "load-account"
#: Images often set it. Each process then compiles all that it imports, which takes longer than an unchanged account.
NOT_COMPILED = "PYTHONDONTWRITEBYTECODE"
PIPE, URL_MARK = "|", "://"
_ACCOUNT = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,60}")
_log = logging.getLogger(NAME)

_EPILOG = """
COMMAND is a tap and a target, with a quoted bar between them, or `meltano run EXTRACTOR LOADER`. Exit codes: 0 loaded,
tap and target both ended with 0; 1 failed; 75 another run of this account is under way; 77 the CRM refused the
credentials, so that trying again does not help; 124 the time limit ended it; 143 or 130 after a signal.
"""
_SETTINGS = {
    "help_option_names": ["--help"],
    "max_content_width": 100,
    "auto_envvar_prefix": OURS.rstrip("_"),
    "allow_interspersed_args": True,
}


@click.command(NAME, epilog=_EPILOG, context_settings=_SETTINGS)
@click.argument("account", metavar="ACCOUNT")
@click.option(
    "--state",
    required=True,
    metavar="PLACE",
    help="Where state and lock are: a SQLite file, or a postgresql+psycopg:// URL. With Meltano, the lock alone.",
)
@click.option("--part", metavar="NAME", help="A part of a huge account, with a state and a lock of its own.")
@click.option("--schema", metavar="NAME", help="The target's schema. Default: as the target is set.")
@click.option(
    "--select",
    multiple=True,
    metavar="RULE",
    help="Streams that are read: people, deals__*, !tags; several with commas between them. Default: all.",
)
@click.option(
    "--full-refresh", is_flag=True, help="Read everything once more; the old state stays until a new one comes."
)
@click.option(
    "--timeout-minutes",
    type=click.FloatRange(min=0, min_open=True),
    metavar="N",
    help="Ask it to end after so long.",
)
@click.option(
    "--kill-after",
    type=click.FloatRange(min=0),
    default=300,
    show_default=True,
    metavar="SECONDS",
    help="Kill a run so long after it was asked to end.",
)
@click.option(
    "--wait",
    type=click.FloatRange(min=0),
    default=60,
    show_default=True,
    metavar="SECONDS",
    help="Wait so long for another run of this account to end.",
)
@click.argument("words", nargs=-1, required=True, metavar="-- COMMAND ...")
def command(  # noqa: PLR0913 - one for each option
    *,
    account: str,
    state: str,
    part: str | None,
    schema: str | None,
    select: Sequence[str],
    full_refresh: bool,
    timeout_minutes: float | None,
    kill_after: float,
    wait: float,
    words: Sequence[str],
) -> int:
    """Load one account once: under its lock, from its last state, into its schema, within its time.

    Each STATE that the target prints is kept at once, in the table load_account_state.
    """
    state_id = "/".join(_checked(name) for name in (account, part) if name is not None)
    limits = Limits(None if timeout_minutes is None else timeout_minutes * 60, kill_after)
    redact_logs([state] if URL_MARK in state else [])
    tap, target = _parts_of(words)
    plain = without(os.environ, OURS, NOT_COMPILED)
    job = Job(
        account,
        schema,
        rules_of(select),
        limits,
        without(plain, "TARGET_"),
        {**without(plain, "TAP_"), **_schema_of(target, schema)},
    )
    with closing(open_table(state, state_id, os.urandom(16).hex())) as table, _minding(limits):
        try:
            known = table.claim(wait, lambda seconds: _rest(limits, seconds))
        except Locked as error:
            _log.error("%s", error)
            return LOCKED
        began = time.monotonic()
        if target is None:
            outcome = run_meltano(words, job, plain, state_id, full=full_refresh)
        else:
            outcome = run_pipe(tap, target, job, table, None if full_refresh else known)
        return _told(outcome, limits, table, time.monotonic() - began)


def _told(outcome: Outcome, limits: Limits, table: StateTable, seconds: float) -> int:
    code = outcome.code(limits)
    _log.log(logging.ERROR if code else logging.INFO, "%s: %s (%.0f s)", table.state_id, outcome.said(limits), seconds)
    return code


def _parts_of(words: Sequence[str]) -> tuple[Sequence[str], Sequence[str] | None]:
    """Return the tap's command and the target's; None for the latter where Meltano runs both."""
    if is_meltano(words):
        return words, None
    if words.count(PIPE) != 1 or words[0] == PIPE or words[-1] == PIPE:
        raise ConfigError(
            "COMMAND must be a tap, a quoted bar and a target, such as `tap-crm --config ENV '|' target-postgres "
            "--config ENV`, or `meltano run EXTRACTOR LOADER`"
        )
    place = words.index(PIPE)
    return words[:place], words[place + 1 :]


def _schema_of(target: Sequence[str] | None, schema: str | None) -> Mapping[str, str]:
    if target is None or schema is None:
        return {}
    return {f"{prefix_of(target[0])}DEFAULT_TARGET_SCHEMA": schema}


def _checked(name: str) -> str:
    if not _ACCOUNT.fullmatch(name):
        raise ConfigError(f"`{name}` is no name of an account or a part: letters, digits, `-` and `_` only, 61 at most")
    return name


def _rest(limits: Limits, seconds: float) -> None:
    """Wait, unless a signal asked for the end."""
    if limits.signal is not None:
        raise Terminated(128 + limits.signal)
    time.sleep(seconds)


@contextmanager
def _minding(limits: Limits) -> Iterator[None]:
    """Let SIGTERM and SIGINT be noted, and acted upon between two lines."""
    before = {number: signal.signal(number, limits.note) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command ``load-account``; a foreseeable failure is one line and exit code 1."""
    logging.basicConfig(
        level=logging.INFO, stream=sys.stderr, format=f"%(asctime)s {NAME}: %(message)s", datefmt="%Y-%m-%dT%H:%M:%S"
    )
    run_command(command, arguments, NAME)
