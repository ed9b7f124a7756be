"""The command line of ``tap-crm-call``."""

from __future__ import annotations

import logging
import sys
import threading
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, NoReturn

import click
import msgspec

from tap_crm import errors
from tap_crm.call.request import METHODS, Call, perform
from tap_crm.config.config_option import config_option
from tap_crm.contract.command import DONE, run_command
from tap_crm.contract.connection import connect
from tap_crm.providers import PROVIDERS
from tap_crm.providers.given_settings import given_settings

if TYPE_CHECKING:
    from collections.abc import Sequence

NAME = "tap-crm-call"
#: Somebody is watching: answers are not retried for as long as in a nightly job.
MOST_RETRY_SECONDS = 60.0

_EPILOG = """
Exit codes: 0 if the CRM answered; 1 if not, or if a setting is wrong, with one line that says why; 2 if the
command line is wrong.
"""


@click.command(NAME, epilog=_EPILOG, context_settings={"help_option_names": ["--help"], "max_content_width": 100})
@config_option
@click.option("--query", "queries", multiple=True, metavar="NAME=VALUE", help="A parameter of the query string.")
@click.option("--body", metavar="JSON|@FILE", help="The request's body; with @, the file that holds it.")
@click.option("--all", "every_page", is_flag=True, help="Read every page, as a stream of the tap would.")
@click.option(
    "--paging",
    type=click.Choice(["page", "skip", "cursor"]),
    help="With --all: how the list goes on. Without it: as is usual for the path.",
)
@click.option("--write", "may_write", is_flag=True, help="Allow a request that writes; it is sent once, never again.")
@click.option("--verbose", is_flag=True, help="Show method, path, status, waits and what is left of the rate limit.")
@click.argument("words", nargs=-1, required=True, metavar="[METHOD] PATH")
def command(  # noqa: PLR0913 - one for each option
    *,
    configs: Sequence[str],
    queries: Sequence[str],
    body: str | None,
    every_page: bool,
    paging: str | None,
    may_write: bool,
    verbose: bool,
    words: Sequence[str],
) -> int:
    """Ask the CRM, with the tap's credentials, pace and retries, and write what it answers as JSON lines.

    PATH is below the API's base, such as /people/123. METHOD is GET unless it is said.
    """
    logging.basicConfig(format="%(message)s", stream=sys.stderr)
    method, path = _method_and_path(words)
    settings = given_settings(configs)
    _set_level(verbose=verbose)
    call = Call(method, path, dict(map(_pair, queries)), _body(body), every_page=every_page, paging=paging)
    provider = PROVIDERS[settings.provider]
    call.check(provider, may_write=may_write)
    stopping = threading.Event()
    transport = connect(settings, provider, stopping)
    transport.retry_seconds = min(transport.retry_seconds, MOST_RETRY_SECONDS)
    try:
        for line in perform(call, provider, settings, transport):
            _write(sys.stdout.buffer, line)
    finally:
        stopping.set()
        transport.settle()
    return DONE


def _set_level(*, verbose: bool) -> None:
    logging.getLogger("tap-crm").setLevel(logging.DEBUG if verbose else logging.WARNING)


def _write(out: IO[bytes], line: bytes) -> None:
    out.write(line + b"\n")
    out.flush()


def _method_and_path(words: Sequence[str]) -> tuple[str, str]:
    method, path = ("GET", words[0]) if len(words) == 1 else (words[0].upper(), words[-1])
    if len(words) > 2 or method not in METHODS:  # noqa: PLR2004 - method and path
        raise errors.ConfigError(f"say a method ({', '.join(METHODS)}) and a path, or only the path")
    return method, path


def _pair(text: str) -> tuple[str, str]:
    name, sign, value = text.partition("=")
    if not sign or not name:
        raise errors.ConfigError("`--query` takes NAME=VALUE")
    return name, value


def _body(text: str | None) -> dict[str, Any] | None:
    """Return the body that an option gives.

    Raises:
        ConfigError: it is no JSON object, or a file that cannot be read.
    """
    if text is None:
        return None
    try:
        content = Path(text[1:]).read_bytes() if text.startswith("@") else text.encode()
        return msgspec.json.decode(content, type=dict[str, Any])
    except OSError as error:
        raise errors.ConfigError(f"`--body`: {error.strerror}: {text[1:]}") from None
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        raise errors.ConfigError("`--body` is no JSON object") from None


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command ``tap-crm-call``; a foreseeable failure is one line and exit code 1."""
    run_command(command, arguments, NAME)
