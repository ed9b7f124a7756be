"""How a command beside the tap and the target ends: by its exit code, and one line for what was foreseen."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any, NoReturn

import click

from tap_crm.contract.signals import FAILED, Terminated, file_fault
from tap_crm.errors import CrmError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

DONE, INTERRUPTED = 0, 130


def run_command(command: click.Command, arguments: Sequence[str] | None, name: str) -> NoReturn:
    """Run a command to the end of the process; a foreseeable failure is one line and exit code 1, a wrong usage 2.

    Args:
        command: returns its exit code, or None for 0.
        arguments: of the command line; None for those of the process.
        name: what people call it.
    """
    run: Callable[..., Any] = command.main
    try:
        code = run(arguments, prog_name=name, standalone_mode=False)
    except click.ClickException as error:
        error.show()
        code = error.exit_code  # click's: 2 for a wrong usage, as of the tap and the target
    except (click.Abort, KeyboardInterrupt):
        code = INTERRUPTED
    except Terminated as end:
        code = int(end.code or 0)
    except BrokenPipeError:  # who reads has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = FAILED
    except (CrmError, OSError) as error:
        click.echo(f"{name}: {file_fault(error) if isinstance(error, OSError) else error}", err=True)
        code = FAILED
    sys.exit(code if isinstance(code, int) else DONE)
