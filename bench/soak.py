"""Tries the whole matrices of reading and writing: streams and write operations, every fault, once and for ever.

What a cell is, `tests/proof` says. All of them are too long for the suite: hours of one core. They come in the order of
a seed, which is printed, so that any part of them is a sample; each that shows a fault is printed with the command that
repeats it.

    ./scripts/soak
    ./scripts/soak --minutes 10 --crm close --jobs 2
    ./scripts/soak --cell 'copper | people | cut JSON | once | next'
    ./scripts/soak --of writing --minutes 10
    ./scripts/soak --write-cell 'close | create 2 leads | cut JSON | once | writes'
    ./scripts/soak --write
    ./scripts/soak --of crashes --write
    ./scripts/soak --of machine --steps 20000

The other parts: `crashes` lets processes die at every place, `machine` does random things in a random order,
`fuzz` breaks every input from outside, `floods` sends answers and requests of two gigabytes.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections import Counter
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from bench import crashes, floods, fuzz, machine
from bench.sharing import judged
from tap_crm.providers import PROVIDERS
from target_crm.writers import WRITERS
from tests.contract.crms import CRMS
from tests.proof import cells, write_cells
from tests.proof.accounts import Account
from tests.proof.operations import Bed, in_memory
from tests.proof.write_cells import Matrix
from tests.proof.write_faults import WRITE_FAULTS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bench.sharing import Judge

PAGE = Path(__file__).parents[1] / "docs" / "proof.md"
#: Before and behind the tables of a part in the page.
BEGIN = "<!-- {} by ./scripts/soak -->"
END = "<!-- until here -->"
MATRICES = ("reading", "writing")
#: After so many cells one line tells how far it is.
TOLD_EVERY = 1_000
#: A cell, what tries it, and what repeats it.
Try: TypeAlias = "tuple[cells.Cell | write_cells.Cell, Judge, str]"


class Tally:
    """What was tried and what it showed, by CRM and stream or operation, and by CRM and fault.

    Args:
        title: ``stream`` or ``operation``.
    """

    def __init__(self, title: str) -> None:
        """Begin with nothing."""
        self.title = title
        self.by: dict[tuple[str, str, str], Counter[str]] = {}

    def note(self, cell: cells.Cell | write_cells.Cell, verdict: cells.Verdict) -> None:
        """Count a cell."""
        fault = "ignored parameter" if cell.fault.startswith("ignored ") else cell.fault
        what = cell.stream if isinstance(cell, cells.Cell) else cell.operation
        for key in ((self.title, cell.crm, what), ("fault", cell.crm, fault)):
            self.by.setdefault(key, Counter()).update(
                tried=1, passed=int(not verdict.wrong), believed=int(verdict.deceived and not verdict.wrong)
            )

    def table(self) -> str:
        """Return both tables in Markdown."""
        lines = []
        for kind in (self.title, "fault"):
            lines += [
                f"| CRM | {kind} | tried | passed | of these, a lie that was believed |",
                "| --- | --- | --- | --- | --- |",
            ]
            order = list(WRITE_FAULTS) if kind == "fault" else []
            found = sorted(
                (key for key in self.by if key[0] == kind),
                key=lambda key: (key[1], order.index(key[2]) if key[2] in order else 0, key[2]),
            )
            for key in found:
                counts = self.by[key]
                lines.append(f"| {key[1]} | {key[2]} | {counts['tried']} | {counts['passed']} | {counts['believed']} |")
            lines.append("")
        return "\n".join(lines)

    def counts(self) -> Counter[str]:
        """Return how many cells were tried, and passed."""
        return sum((one for key, one in self.by.items() if key[0] == self.title), Counter[str]())


def reading(accounts: Iterable[Account]) -> list[Try]:
    """Return the cells of reading."""
    return [
        (cell, partial(_read, account, cell), f"--cell '{cell}'")
        for account in accounts
        for cell in cells.cells(account)
    ]


def writing(beds: Iterable[Bed]) -> list[Try]:
    """Return the cells of writing."""
    return [
        (cell, partial(_written, matrix, cell), f"--write-cell '{cell}'")
        for matrix in map(Matrix, beds)
        for cell in matrix.cells()
    ]


def _read(account: Account, cell: cells.Cell, folder: Path) -> cells.Verdict:
    account.tap.folder = folder
    return cells.judge(account, cell)


def _written(matrix: Matrix, cell: write_cells.Cell, folder: Path) -> cells.Verdict:
    matrix.bed.folder = folder
    return matrix.judge(cell)


def tried(everything: list[Try], folder: Path, options: argparse.Namespace, tally: Tally) -> int:
    """Try cells for as long as wished; return how many showed a fault."""
    random.Random(options.seed).shuffle(everything)
    ends, faults = time.monotonic() + options.minutes * 60, 0
    verdicts = judged([judge for _, judge, _ in everything], folder, options.jobs, ends)
    for count, (number, verdict) in enumerate(verdicts, 1):
        cell, _, command = everything[number]
        tally.note(cell, verdict)
        if not count % TOLD_EVERY:
            print(f"{count} of {len(everything)} cells tried, {faults} not passed", flush=True)
        if verdict.wrong:
            faults += 1
            print(f"./scripts/soak {command}")
            for one in verdict.wrong:
                print(f"    {one[:600]}", flush=True)
    return faults


def write(table: str, of: str) -> None:
    """Put the tables of a part into the page."""
    begin = BEGIN.format(of)
    before, _, rest = PAGE.read_text("utf-8").partition(begin)
    _, _, after = rest.partition(END)
    PAGE.write_text(f"{before}{begin}\n\n{table}\n{END}{after}", "utf-8")


def said(tally: Tally, total: int, minutes: float, options: argparse.Namespace) -> str:
    """Return how much of a matrix was tried, in one sentence."""
    counts = tally.counts()
    left = f"{total - counts['tried']} were not tried" if total > counts["tried"] else "all were tried"
    return (
        f"{counts['tried']} of {total} cells in {minutes:.0f} minutes of {_cores(options)} of a busy machine "
        f"(seed {options.seed}), {counts['passed']} passed; {left}."
    )


def _cores(options: argparse.Namespace) -> str:
    return "one core" if options.jobs == 1 else f"{options.jobs} cores"


def other_part(options: argparse.Namespace, names: list[str]) -> int:
    """Try another part than the matrices; return how many faults it showed."""
    if options.of == "machine":
        return machine.soak(names, options)
    began = time.monotonic()
    extent = ""
    if options.of in ("fuzz", "floods"):
        part = fuzz.soak if options.of == "fuzz" else floods.soak
        text, faults = part(names, options)
    else:
        table = crashes.soak(names, options)
        text, faults = table.text(), table.faults
        extent = f", a part; {table.left} were not tried" if table.left else ", all places"
    minutes = (time.monotonic() - began) / 60
    text = f"In {minutes:.0f} minutes of {_cores(options)} of a busy machine (seed {options.seed}){extent}:\n\n{text}"
    print(text)
    if faults:
        print(f"To try the same in the same order: ./scripts/soak --of {options.of} {_repeated(options)}")
    if options.write:
        write(text, options.of)
    return faults


def _repeated(options: argparse.Namespace) -> str:
    return f"--crm {options.crm} --seed {options.seed} --jobs {options.jobs} --minutes {options.minutes:g}"


def main() -> None:
    """Try, and end with 1 where anything was wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=20_000, help="of the state machine, unless it is stopped before")
    parser.add_argument("--crm", choices=("all", *CRMS), default="all")
    parser.add_argument("--minutes", type=float, default=600.0, help="stop after so long (600)")
    parser.add_argument(
        "--jobs", type=int, default=1, help="processes that share the cells of a matrix, or the crashes (1)"
    )
    parser.add_argument("--seed", type=int, default=random.randrange(1_000_000), help="of the order of the cells")
    parser.add_argument(
        "--of",
        choices=(*MATRICES, "both", "crashes", "machine", "fuzz", "floods"),
        default="both",
        help="which matrix, or which other part (both matrices)",
    )
    parser.add_argument("--cell", help="try this cell of reading only")
    parser.add_argument("--write-cell", help="try this cell of writing only")
    parser.add_argument("--write", action="store_true", help="write the tables into docs/proof.md")
    options = parser.parse_args()
    if options.of not in (*MATRICES, "both") and not (options.cell or options.write_cell):
        print(f"seed {options.seed}")
        sys.exit(bool(other_part(options, list(CRMS) if options.crm == "all" else [options.crm])))
    with in_memory() as folder:
        if options.cell or options.write_cell:
            verdict = _one(options, folder)
            print(verdict)
            sys.exit(bool(verdict.wrong))
        print(f"seed {options.seed}")
        faults = sum(_soak(of, options, folder) for of in MATRICES if options.of in (of, "both"))
    sys.exit(bool(faults))


def _one(options: argparse.Namespace, folder: Path) -> cells.Verdict:
    if options.cell:
        cell = cells.parse(options.cell)
        return cells.judge(Account(CRMS[cell.crm], folder), cell)
    written = write_cells.parse(options.write_cell)
    return Matrix(Bed(written.crm, folder)).judge(written)


def _soak(of: str, options: argparse.Namespace, folder: Path) -> int:
    """Try one of the matrices; return how many cells showed a fault."""
    known = PROVIDERS if of == "reading" else WRITERS
    names = [name for name in known if options.crm in ("all", name)]
    tally = Tally("stream" if of == "reading" else "operation")
    everything = (
        reading([Account(CRMS[name], folder) for name in names])
        if of == "reading"
        else writing([Bed(name, folder) for name in names])
    )
    began = time.monotonic()
    faults = tried(everything, folder, options, tally)
    line = said(tally, len(everything), (time.monotonic() - began) / 60, options)
    print(f"{of}: {line}")
    if options.write:
        write(f"{line}\n\n{tally.table()}", of)
    return faults


if __name__ == "__main__":
    main()
