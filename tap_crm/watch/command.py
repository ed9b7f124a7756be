"""The command line of ``tap-crm-watch``."""

from __future__ import annotations

import logging
import signal
import sys
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

import click

from tap_crm.config.config_option import config_option
from tap_crm.config.json_files import read_json_object
from tap_crm.contract.signals import Terminated, ending
from tap_crm.providers import PROVIDERS
from tap_crm.providers.given_settings import given_settings
from tap_crm.watch.inbox import Inbox
from tap_crm.watch.interrupts import Interrupts
from tap_crm.watch.lock import WatchLock
from tap_crm.watch.loop import Watch
from tap_crm.watch.program import Program
from tap_crm.watch.questions import Questions, usual_budget, watched
from tap_crm.watch.schedule import Schedule
from tap_crm.watch.selected import selected_streams

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tap_crm.contract.stream import Provider
    from tap_crm.watch.questions import Found

NAME = "tap-crm-watch"
INTERRUPTED = 130
_log = logging.getLogger(NAME)

_EPILOG = """
COMMAND may be `meltano run tap-crm target-postgres`, or a line of a shell: bash -o pipefail -c 'tap-crm … | target …'.
Exit codes: 1 if a setting is wrong, COMMAND cannot be started or the CRM refuses the credentials, with one line that
says why; 2 if the command line is wrong; 143 or 130 after a signal; with --once that of COMMAND, 0 if nothing changed.
"""
_SETTINGS = {
    "help_option_names": ["--help"],
    "max_content_width": 100,
    "allow_interspersed_args": False,  # what follows COMMAND is COMMAND's own
}


def _seconds(*, least: float, is_open: bool = False) -> click.FloatRange:
    return click.FloatRange(min=least, min_open=is_open)


@click.command(NAME, epilog=_EPILOG, context_settings=_SETTINGS)
@config_option
@click.option(
    "--every",
    type=_seconds(least=0, is_open=True),
    default=30,
    show_default=True,
    metavar="SECONDS",
    help="Time between two looks at the CRM. The inbox is looked into each second.",
)
@click.option(
    "--min-gap",
    type=_seconds(least=0),
    default=10,
    show_default=True,
    metavar="SECONDS",
    help="Least time between two runs of COMMAND; with each failure of COMMAND it doubles, up to --max-gap.",
)
@click.option(
    "--max-gap",
    type=_seconds(least=0, is_open=True),
    default=3600,
    show_default=True,
    metavar="SECONDS",
    help="Most time between two runs: COMMAND is run then although nothing new was seen: some changes show nowhere.",
)
@click.option(
    "--requests-per-minute",
    "per_minute",
    type=click.FloatRange(min=0, min_open=True),
    metavar="N",
    help="Most requests that watching itself uses. Default: a tenth of the CRM's limit, or of the config's.",
)
@click.option(
    "--catalog", metavar="FILE", help="The catalog that the runs use: Copper's streams that it selects are watched."
)
@click.option("--no-first", is_flag=True, help="Do not run COMMAND at start: what is there now was loaded.")
@click.option(
    "--once",
    is_flag=True,
    help="End after one run; with --no-first, after --every seconds if nothing changed in them.",
)
@click.argument("words", nargs=-1, required=True, metavar="-- COMMAND ...")
def command(  # noqa: PLR0913 - one for each option
    *,
    configs: Sequence[str],
    every: float,
    min_gap: float,
    max_gap: float,
    per_minute: float | None,
    catalog: str | None,
    no_first: bool,
    once: bool,
    words: Sequence[str],
) -> int:
    """Ask cheaply whether the CRM, or the inbox, has something new, and run COMMAND when it has.

    COMMAND is run at start, too, one at a time. A change that was seen is not forgotten until a COMMAND that began
    after it has ended well.
    """
    settings = given_settings(configs)
    provider = PROVIDERS[settings.provider]
    provider.authenticate(settings)  # so that what is missing is said before anything is done
    selected = selected_streams(provider.streams, None if catalog is None else read_json_object(catalog, "--catalog"))
    stopping = threading.Event()
    questions = Questions(
        settings,
        provider,
        watched(provider, selected),
        every=every,
        per_minute=per_minute or usual_budget(settings, provider),
        rest=max_gap,
        stopping=stopping,
    )
    with Interrupts() as interrupts:
        lock = WatchLock(repr(settings), *settings.secrets)
        try:
            program = Program(words, lock, interrupts)
            inbox = None if settings.inbox is None else _inbox(settings.inbox, provider)
            account = _Account(questions, inbox, program, interrupts)
            lock.await_command(_log.info, account.wait)
            schedule = Schedule(
                account.now(),
                min_gap=min(min_gap, max_gap),
                max_gap=max_gap,
                settle=settings.overlap_seconds,
                first=not no_first,
            )
            return Watch(schedule, account, _log.info, has_inbox=inbox is not None, once=once).run()
        except Terminated as end:
            _log.info("ended by %s", signal.Signals(int(end.code or 0) - 128).name)
            raise
        finally:
            stopping.set()
            questions.settle()
            lock.close()


def _inbox(url: str, provider: Provider) -> Inbox:
    from tap_crm.inbox.spool import Spool  # noqa: PLC0415 - SQLAlchemy, which half of the watches do without

    return Inbox(lambda: Spool.open(url, makes=False), provider.name)


@dataclass(frozen=True, slots=True)
class _Account:
    """The CRM, the inbox, COMMAND, and the time, as they are."""

    questions: Questions
    inbox: Inbox | None
    program: Program
    interrupts: Interrupts

    def now(self) -> float:
        return time.monotonic()

    def ask(self, now: float) -> Found:
        return self.interrupts.apart(lambda: self.questions.ask(now))

    def has_mail(self) -> bool:
        return self.inbox is not None and self.inbox.has_news()

    def run(self) -> int:
        self.interrupts.check()
        code = self.program.run()
        self.interrupts.check()
        return code

    def wait(self, seconds: float) -> None:
        self.interrupts.wait(seconds)
        self.interrupts.check()


def _set_up_log() -> None:
    """Let only the lines of the rounds through: what the transport says besides stands in them, too."""
    form = logging.Formatter(f"%(asctime)s {NAME}: %(message)s", "%Y-%m-%dT%H:%M:%SZ")
    form.converter = time.gmtime
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(form)
    logging.getLogger().addHandler(handler)
    logging.getLogger("tap-crm").setLevel(logging.CRITICAL)
    _log.setLevel(logging.INFO)


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command ``tap-crm-watch``; a foreseeable failure is one line and exit code 1."""
    _set_up_log()
    code: Any
    try:
        with ending(_log):
            code = command.main(arguments, prog_name=NAME, standalone_mode=False)
    except click.ClickException as error:
        error.show()
        code = error.exit_code
    except click.Abort:
        code = INTERRUPTED
    sys.exit(code)
