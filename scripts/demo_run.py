"""The demo: serve a CRM, load it, change it, load what changed, compare. Run by `./scripts/demo`."""

from __future__ import annotations

import argparse
import shutil
import signal
import sys
import time
from typing import TYPE_CHECKING

from rich.console import Console

from sandbox.client import Client
from scripts.demo_close import CLOSE
from scripts.demo_compare import compare, remove
from scripts.demo_copera import COPERA
from scripts.demo_copper import COPPER
from scripts.demo_events import demo_events
from scripts.demo_pipeline import show_pipeline
from scripts.demo_processes import DATABASE, LOADER, OUTPUT, PLUGINS, DemoError, Meltano, make_page, served, short
from scripts.demo_report import show_comparison, show_deals, show_runs
from scripts.demo_two_way import two_way
from tap_crm.sync import schema_owner

if TYPE_CHECKING:
    from types import FrameType

    from scripts.demo_compare import Comparison
    from scripts.demo_crm import Crm

CRMS = {crm.name: crm for crm in (COPPER, CLOSE, COPERA)}
EVENTS, TWO_WAY, ALL = "events", "two-way", "all"


def demo(crm: Crm, console: Console) -> bool:
    """Show everything; True if what was loaded is what is there."""
    console.rule(f"1. {crm.title}, served on this machine", align="left")
    with served(crm) as url:
        client = Client(url)
        meltano = Meltano(console, crm, url)
        console.print(f"{url}, filled with made-up data; its rate limit is lifted, so that you need not wait.")

        console.rule("2. First run: everything", align="left")
        meltano.install()
        meltano.load()
        first = compare(crm, client, meltano.database)
        show_comparison(console, first)

        console.rule(f"3. {crm.title} changes", align="left")
        for change in crm.changes:
            change.make(client)
            console.print(f"- {change.title}")
        console.print("So these tables are behind now:")
        show_comparison(console, [one for one in compare(crm, client, meltano.database) if not one.equal])

        console.rule("4. Second run: only what changed", align="left")
        meltano.load()
        second = _compare_without_gone(console, crm, client, meltano)
        third = _third_run(console, crm, client, meltano) if crm.deletions else []
        client.close()

    console.rule("What the runs read and asked (from the table sync_audit)", align="left")
    show_runs(console, crm, meltano.database)
    console.rule("The deals by pipeline and stage (SQL on the loaded tables)", align="left")
    show_deals(console, crm, meltano.database)
    console.print(f"The database is {short(meltano.database)}, schema {crm.schema}; the log is {short(meltano.log)}.")
    return all(one.equal for one in (*first, *second, *third))


def load_once(crm: Crm, console: Console) -> bool:
    """Serve a CRM, load it, compare; True if what was loaded is what is there."""
    console.rule(f"{crm.title}, served on this machine, into {short(OUTPUT / DATABASE)}", align="left")
    with served(crm) as url:
        client, meltano = Client(url), Meltano(console, crm, url)
        meltano.install()
        meltano.load()
        found = compare(crm, client, meltano.database)
        client.close()
    rows = sum(one.loaded for one in found)
    if different := [one for one in found if not one.equal]:
        show_comparison(console, different)
    else:
        console.print(f"{len(found)} tables, {rows:,} rows: all as in {crm.title}.\n")
    return not different


def _third_run(console: Console, crm: Crm, client: Client, meltano: Meltano) -> list[Comparison]:
    """Delete what leaves no trace, and find it by reading everything."""
    console.rule(f"5. {crm.title} loses records without a trace", align="left")
    for change in crm.deletions:
        change.make(client)
        console.print(f"- {change.title}")
    console.rule("6. Third run: with a reconcile, which reads everything once more", align="left")
    meltano.load(crm.reconciling)
    return _compare_without_gone(console, crm, client, meltano)


def _compare_without_gone(console: Console, crm: Crm, client: Client, meltano: Meltano) -> list[Comparison]:
    """Compare, after the loaded tables were freed of what the tap has said to be gone."""
    if removed := sum(remove(crm, meltano.database).values()):
        console.print(
            f"The tap has said by ACTIVATE_VERSION that rows are gone. {LOADER} ignores it, so one SQL statement "
            f"for each table removes them: {removed:,} rows."
        )
    found = compare(crm, client, meltano.database)
    show_comparison(console, found)
    if gone := sum(one.gone for one in found):
        console.print(
            f"{gone:,} rows are of records that were deleted or merged meanwhile; what Close's event log told of is "
            "marked in `_sdc_deleted_at`."
        )
    return found


def main(arguments: list[str] | None = None) -> int:
    """Run the demo of the CRM that is asked for."""
    parser = argparse.ArgumentParser(prog="./scripts/demo", description="Shows the tap at work, without an account.")
    choices = [*CRMS, ALL, EVENTS, TWO_WAY]
    parser.add_argument(
        "crm",
        nargs="?",
        choices=choices,
        default="copper",
        help="which CRM (default: copper); how events arrive; edits that go into it and come back",
    )
    asked = parser.parse_args(arguments).crm
    for one in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(one, _end)
    started = time.monotonic()
    console = Console(highlight=False)
    shutil.rmtree(OUTPUT, ignore_errors=True)
    OUTPUT.mkdir(parents=True)
    # The database is gone; what stays is the plugins, and the note of whose tables were in it.
    (PLUGINS / schema_owner.FILE).unlink(missing_ok=True)
    try:
        if asked == EVENTS:
            demo_events(console)
            make_page(console)
            return 0
        if asked == ALL:
            results = [load_once(crm, console) for crm in CRMS.values()]
            show_pipeline(console, OUTPUT / DATABASE)
        else:
            results = [demo(crm, console) for crm in CRMS.values() if asked == crm.name]
        failures = two_way(console) if asked == TWO_WAY else []
        make_page(console)
        if asked == TWO_WAY:
            return _end_of_two_way(console, failures, started)
    except DemoError as error:
        console.print(f"Failed: {error}", style="bold red", markup=False)
        return 1
    except KeyboardInterrupt:
        console.print("Interrupted; the sandbox is stopped.")
        return 130
    if not all(results):
        console.print("What was loaded is not what is there.", style="bold red")
        return 1
    seconds = time.monotonic() - started
    console.print(f"What was loaded is what is there, after each run ({seconds:.0f} s).", style="bold green")
    return 0


def _end_of_two_way(console: Console, failures: list[str], started: float) -> int:
    for failure in failures:
        console.print(f"Not as it should be: {failure}", style="bold red", markup=False)
    if not failures:
        told = "The edits are there, nobody's are lost, and nothing goes round in a circle"
        console.print(f"{told} ({time.monotonic() - started:.0f} s).", style="bold green")
    return int(bool(failures))


def _end(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - the signature of a handler
    sys.exit(128 + number)


if __name__ == "__main__":
    sys.exit(main())
