"""Tries loaders with odd data, and writes what each makes of it into docs/loaders.md.

python -m bench.loaders duckdb jsonl      # these only; `all` for all; without a name, says which there are
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.loaders import compare
from bench.loaders.account import Loads, load
from bench.loaders.other_accounts import OTHERS, load_other
from bench.loaders.page import written
from bench.loaders.places import RUN
from bench.loaders.targets import LOADERS, Loader

if TYPE_CHECKING:
    from bench.loaders.account import Key, Record
    from bench.loaders.places import Place

ROOT = Path(__file__).resolve().parents[2]
VENVS = ROOT / ".venvs" / "loaders"
LONGEST = 600
#: Loaders that are tried with the accounts of all CRMs: one of each kind.
TRIED_WITH_ALL = frozenset({"postgres", "duckdb", "jsonl", "csv", "parquet", "iceberg", "clickhouse"})


class LoaderError(Exception):
    """A loader cannot be installed, or stops."""


class NoServer(Exception):  # noqa: N818 - it is no fault
    """There is nothing that a loader could load into."""


def install(loader: Loader) -> Path:
    """Install a loader into an environment of its own; returns its folder of commands.

    Raises:
        LoaderError: it cannot be installed.
    """
    folder = VENVS / "-".join(package.replace("==", "-") for package in loader.packages)
    if not _runs(folder / "bin" / "python") or not (folder / "bin" / loader.command).exists():
        _do([sys.executable, "-m", "venv", "--clear", str(folder)])
        _do([str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", *loader.packages])
    if not (folder / "bin" / loader.command).exists():
        raise LoaderError(f"installs no command {loader.command}")
    return folder / "bin"


def _runs(python: Path) -> bool:
    """Tell whether an environment is there and was not moved: its commands name the folder in which it was made."""
    place = python.parent.parent / "pyvenv.cfg"
    return python.exists() and str(python.parent.parent) in place.read_text("utf-8")


def _do(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise LoaderError(f"does not install: {_last_line(done.stderr)}")


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip() and "| INFO " not in line]
    return lines[-1][:160] if lines else "no word why"


def fill(loader: Loader, command: Path, place: Place, loads: Loads, folder: Path) -> None:
    """Give a loader what three runs wrote, one after the other.

    Raises:
        LoaderError: it does not end with 0.
    """
    config = folder / "loader.json"
    given = json.dumps({**place.config, **loader.extra})
    variables = {**os.environ, **loader.variables}
    for number, messages in enumerate(loads.runs, start=1):
        config.write_text(given.replace(RUN, str(number)))
        done = subprocess.run(
            [command, "--config", config],
            input=messages,
            capture_output=True,
            cwd=folder,
            env=variables,
            timeout=LONGEST,
            check=False,
        )
        if done.returncode:
            raise LoaderError(f"stops in run {number}: {_last_line(done.stderr.decode(errors='replace'))}")


def loaded(loader: Loader, loads: Loads) -> dict[str, dict[Key, Record]]:
    """Return what a loader holds that was given three runs.

    Raises:
        LoaderError: it cannot be installed, or stops.
        NoServer: what it loads into is not had here.
    """
    commands = install(loader)
    if loader.server:
        raise NoServer(f"it installs, but there is no server of {loader.server} here")
    with tempfile.TemporaryDirectory(prefix="ld") as name:
        folder = Path(name)
        with loader.place(folder, commands / "python") as place:
            fill(loader, commands / loader.command, place, loads, folder)
            return compare.tables_of(place, loads)


def of_other(loader: Loader, loads: Loads) -> str:
    """Return what a loader makes of the account of another CRM, in one line."""
    try:
        tables = loaded(loader, loads)
    except (LoaderError, subprocess.TimeoutExpired) as error:
        return str(error)
    found = compare.compare_values(loads, tables)
    changed = [f"{kind}: {found.told(kind)}" for kind in compare.KINDS if found.changed[kind]]
    return f"{compare.rows(loads, tables)} rows; {'; '.join(changed) or 'all values exact'}"


def tried(loader: Loader, loads: Loads) -> dict[str, Any]:
    """Return the row of the table for one loader."""
    row: dict[str, Any] = {"title": loader.title, "packages": " ".join(loader.packages), "advice": loader.advice}
    try:
        tables = loaded(loader, loads)
    except NoServer as error:
        return {**row, "untried": str(error)}
    except (LoaderError, subprocess.TimeoutExpired) as error:
        return {**row, "fails": str(error)}
    found = compare.compare_values(loads, tables)
    return {
        **row,
        "rows": compare.rows(loads, tables),
        **{kind: found.told(kind) for kind in compare.KINDS},
        "deletions": compare.deletions(loads, tables),
        "added": compare.added(loads, tables),
        "retyped": compare.retyped(loads, tables),
        "composite": compare.composite(loads, tables),
    }


def main() -> None:
    """Try the loaders that are named."""
    known = ", ".join(loader.name for loader in LOADERS)
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"{known}, or all")
    names = parser.parse_args().names
    if not names:
        parser.print_help()
        return
    if unknown := [name for name in names if name not in {*known.split(", "), "all"}]:
        parser.error(f"no loader is called {', '.join(unknown)}; there are {known}")
    page, made = ROOT / "docs" / "loaders.md", dict[str, Loads]()
    for loader in LOADERS:
        if loader.name in names or "all" in names:
            result = tried(loader, _made(made, "copper", loader))
            for crm in OTHERS if loader.name in TRIED_WITH_ALL and "rows" in result else ():
                result[crm] = of_other(loader, _made(made, crm, loader))
            print(json.dumps(result, ensure_ascii=False, indent=2), flush=True)
            page.write_text(written(page.read_text("utf-8"), {loader.name: result}), "utf-8")


def _made(made: dict[str, Loads], crm: str, loader: Loader) -> Loads:
    """Return three runs on the account of a CRM in the form that a loader needs, made once."""
    form = json.dumps([crm, dict(loader.tap), loader.large])
    if form not in made:
        with tempfile.TemporaryDirectory() as folder:
            made[form] = (
                load(Path(folder), loader.tap, large=loader.large)
                if crm == "copper"
                else load_other(Path(folder), crm, loader.tap)
            )
    return made[form]


if __name__ == "__main__":
    main()
