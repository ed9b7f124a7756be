"""Tries the whole matrix of reading: every stream of every CRM with every fault, once and for ever (`tests/proof`).

It is too long for the suite: hours of one core. The cells come in the order of a seed, which is printed, so that any
part of them is a sample; each that shows a fault is printed with the command that repeats it.

    ./scripts/soak
    ./scripts/soak --minutes 10 --crm close
    ./scripts/soak --cell 'copper | people | cut JSON | once | next'
    ./scripts/soak --write
    ./scripts/soak --of crashes --write
    ./scripts/soak --of machine --steps 20000

The other parts: `crashes` lets processes die at every place, `machine` does random things in a random order,
`fuzz` breaks every input from outside.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from bench import crashes, fuzz, machine
from tap_crm.providers import PROVIDERS
from tests.contract.crms import CRMS
from tests.proof import cells
from tests.proof.accounts import Account
from tests.proof.faults import FAULTS

if TYPE_CHECKING:
    from collections.abc import Iterable

PAGE = Path(__file__).parents[1] / "docs" / "proof.md"
BEGIN, END = "<!-- written by ./scripts/soak -->", "<!-- until here -->"
BEGIN_FUZZ, END_FUZZ = "<!-- written by ./scripts/soak --of fuzz -->", "<!-- fuzz until here -->"
BEGIN_CRASHES, END_CRASHES = "<!-- written by ./scripts/soak --of crashes -->", "<!-- crashes until here -->"


class Tally:
    """What was tried and what it showed, by CRM and stream, and by CRM and fault."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.by: dict[tuple[str, str, str], Counter[str]] = {}

    def note(self, cell: cells.Cell, verdict: cells.Verdict) -> None:
        """Count a cell."""
        fault = "ignored parameter" if cell.fault.startswith("ignored ") else cell.fault
        for key in (("stream", cell.crm, cell.stream), ("fault", cell.crm, fault)):
            self.by.setdefault(key, Counter()).update(
                tried=1, passed=not verdict.wrong, believed=verdict.deceived and not verdict.wrong
            )

    def table(self) -> str:
        """Return both tables in Markdown."""
        lines = []
        for kind, title in (("stream", "stream"), ("fault", "fault")):
            lines += [
                f"| CRM | {title} | tried | passed | of these, a lie that was believed |",
                "| --- | --- | --- | --- | --- |",
            ]
            order = list(FAULTS) if kind == "fault" else []
            found = sorted(
                (key for key in self.by if key[0] == kind),
                key=lambda key: (key[1], order.index(key[2]) if key[2] in order else 0, key[2]),
            )
            for key in found:
                counts = self.by[key]
                lines.append(f"| {key[1]} | {key[2]} | {counts['tried']} | {counts['passed']} | {counts['believed']} |")
            lines.append("")
        return "\n".join(lines)


def tried(accounts: Iterable[Account], options: argparse.Namespace, tally: Tally) -> int:
    """Try cells for as long as wished; return how many showed a fault."""
    everything = [(account, cell) for account in accounts for cell in cells.cells(account)]
    random.Random(options.seed).shuffle(everything)
    ends, faults = time.monotonic() + options.minutes * 60, 0
    for number, (account, cell) in enumerate(everything):
        if time.monotonic() > ends:
            print(f"{number} of {len(everything)} cells tried; the seed was {options.seed}")
            break
        verdict = cells.judge(account, cell)
        tally.note(cell, verdict)
        if verdict.wrong:
            faults += 1
            print(f"./scripts/soak --cell '{cell}'")
            for one in verdict.wrong:
                print(f"    {one[:600]}", flush=True)
    else:
        print(f"all {len(everything)} cells tried")
    return faults


def write(table: str, begin: str = BEGIN, end: str = END) -> None:
    """Put tables into the page."""
    before, _, rest = PAGE.read_text("utf-8").partition(begin)
    _, _, after = rest.partition(end)
    PAGE.write_text(f"{before}{begin}\n\n{table}\n{end}{after}", "utf-8")


def other_part(options: argparse.Namespace, names: list[str]) -> int:
    """Try another part than that of reading; return how many faults it showed."""
    if options.of == "machine":
        return machine.soak(names, options)
    if options.of == "fuzz":
        text, faults = fuzz.soak(names, options)
        print(text)
        if options.write:
            write(text, BEGIN_FUZZ, END_FUZZ)
        return faults
    table = crashes.soak(names, options)
    print(table.text())
    if options.write:
        write(table.text(), BEGIN_CRASHES, END_CRASHES)
    return table.faults


def main() -> None:
    """Try, and end with 1 where anything was wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--of", choices=("reading", "crashes", "machine", "fuzz"), default="reading")
    parser.add_argument("--steps", type=int, default=20_000, help="of the state machine, unless it is stopped before")
    parser.add_argument("--crm", choices=("all", *CRMS), default="all")
    parser.add_argument("--minutes", type=float, default=600.0, help="stop after so long (600)")
    parser.add_argument("--seed", type=int, default=random.randrange(1_000_000), help="of the order of the cells")
    parser.add_argument("--cell", help="try this one only")
    parser.add_argument("--write", action="store_true", help="write the tables into docs/proof.md")
    options = parser.parse_args()
    if options.of != "reading":
        print(f"seed {options.seed}")
        sys.exit(bool(other_part(options, list(CRMS) if options.crm == "all" else [options.crm])))
    tally = Tally()
    with tempfile.TemporaryDirectory() as folder:
        if options.cell:
            cell = cells.parse(options.cell)
            verdict = cells.judge(Account(CRMS[cell.crm], Path(folder)), cell)
            print(verdict)
            sys.exit(bool(verdict.wrong))
        print(f"seed {options.seed}")
        chosen = list(PROVIDERS) if options.crm == "all" else [options.crm]
        faults = tried([Account(CRMS[name], Path(folder)) for name in chosen], options, tally)
    if options.write:
        write(tally.table())
    counts = sum((one for key, one in tally.by.items() if key[0] == "stream"), Counter[str]())
    print(f"{counts['tried']} cells, {counts['passed']} passed, {faults} with a fault")
    sys.exit(bool(faults))


if __name__ == "__main__":
    main()
