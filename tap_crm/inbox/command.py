"""The command line of ``tap-crm-inbox``: receives events; each sub-command is a module of its own."""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING, NoReturn

import click

from tap_crm.contract.command import run_command
from tap_crm.inbox.serve import serve
from tap_crm.inbox.subscribing.commands import repair, status, subscribe, unsubscribe

if TYPE_CHECKING:
    from collections.abc import Sequence

NAME = "tap-crm-inbox"
SUBCOMMANDS: tuple[click.Command, ...] = (serve, subscribe, status, repair, unsubscribe)

_EPILOG = """
Exit codes: 0 if all went well; 1 if not, or if a setting is wrong, with one line that says why; 2 if the command line
is wrong; 143 and 130 after SIGTERM and SIGINT.
"""


@click.group(NAME, epilog=_EPILOG, context_settings={"help_option_names": ["--help"], "max_content_width": 100})
def command() -> None:
    """Receive events of the CRM, so that the tap reads at once again what changed."""
    logging.basicConfig(format="%(message)s", stream=sys.stderr, level=logging.WARNING)
    logging.getLogger("tap-crm").setLevel(logging.INFO)


for _subcommand in SUBCOMMANDS:
    command.add_command(_subcommand)


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command ``tap-crm-inbox``; a foreseeable failure is one line and exit code 1."""
    run_command(command, arguments, NAME)
