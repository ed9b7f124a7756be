"""Writes what the README, the pages of docs, CONTRIBUTING.md and meltano.yml say of the code.

`python -m scripts.readme_tables` does it.

`--check` writes nothing, and only says whether they fit.
"""

from __future__ import annotations

import argparse
import re
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from scripts.dbt_tables import model_tables
from scripts.erd import erd, pictures
from scripts.meltano_settings import meltano_settings
from scripts.module_table import module_table
from scripts.report_advice import advice
from tap_crm.contract.stream import AUDIT, WRITES
from tap_crm.providers import PROVIDERS
from tap_crm.providers.setting_table import rows, users_of
from target_crm.config.schema import target_rows
from target_crm.writers import WRITERS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from tap_crm.config.setting import Setting
    from tap_crm.contract.stream import Provider, StreamSpec

ROOT = Path(__file__).resolve().parents[1]
_PART = re.compile(
    r"^(?P<begin> *(?:<!--|#) generated: (?P<name>[a-z]+)[^\n]*\n).*?^(?P<end> *(?:<!--|#) end)",
    re.DOTALL | re.MULTILINE,
)


def settings_table(settings: Iterable[Setting]) -> str:
    """Return a row for each setting, in their order."""
    return _table(
        ("setting", "type", "default", "CRMs", "meaning"),
        ((f"`{row.name}`", " or ".join(row.kind.types), _default(row), _crms(row), _meaning(row)) for row in settings),
    )


def streams_tables() -> str:
    """Return for each CRM a table of its streams, and below it what each of them catches."""
    return "\n\n".join(_streams_of(provider) for provider in PROVIDERS.values())


def overview() -> str:
    """Return a table of the streams of each CRM: how they are read, and their keys where these are not usual."""
    return "\n\n".join(
        "\n\n".join((f"**{provider.title}**", _table(("how it is read", "streams"), _ways(provider))))
        for provider in PROVIDERS.values()
    )


def _ways(provider: Provider) -> Iterable[tuple[str, str]]:
    """Yield each way in which streams are read, with their names and keys."""
    ways: dict[str, list[str]] = {}
    if provider.discover is not None:
        name, primary_key, _ = DISCOVERED[provider.name]
        ways["whole, in one answer; only changed rows are written"] = [_with_key(name, primary_key)]
    for spec in provider.streams:
        key = ", ".join(f"`{key}`" for key in spec.primary_key)
        way = f"what changed, by `{spec.replication_key}`" if spec.replication_key else "whole, in each run"
        ways.setdefault(way, []).append(_with_key(spec.name, key, "" if spec.selected else "\\*"))
    for way in sorted(ways, key=lambda way: way.startswith("whole, in each")):
        yield way, ", ".join(ways[way])


def _with_key(stream: str, key: str, star: str = "") -> str:
    return f"`{stream}`{star}" + ("" if key == "`id`" else f" ({key})")


#: Streams that only discovery finds: by CRM, a name that stands for all, their key, and what they catch.
DISCOVERED = {
    "copera": (
        "<board>__<table>",
        "`_id`",
        (
            "what was added, edited or computed anew since the last run, by the next run; rows that are gone leave the "
            "target, if it heeds ACTIVATE_VERSION; the setting `tables` gives other names"
        ),
    )
}
#: What is generated: by file, the names of its parts, and what makes each.
PARTS: Mapping[str, Mapping[str, Callable[[], str]]] = {
    "README.md": {"overview": overview},
    "docs/settings.md": {"settings": lambda: settings_table(rows())},
    "docs/streams.md": {"streams": streams_tables},
    "CONTRIBUTING.md": {"modules": lambda: _table(("module", "one line"), module_table(ROOT))},
    "docs/dbt.md": {"models": model_tables},
    "meltano.yml": {
        "settings": lambda: meltano_settings(rows()),
        "target": lambda: meltano_settings(target_rows(*WRITERS)),
    },
}
#: Files that are generated from their first letter to their last, and what makes each.
WHOLE: Mapping[str, Callable[[], str]] = {
    "tap_crm/report/advice.json": advice,
    **{file: partial(erd, crm) for file, crm in pictures()},
}


def renewed(file: str, text: str) -> str:
    """Return a file's text with every generated part written anew.

    Raises:
        ValueError: a part is missing, or is there twice.
    """
    if file in WHOLE:
        return WHOLE[file]()
    parts = PARTS[file]
    found = [match["name"] for match in _PART.finditer(text)]
    if sorted(found) != sorted(parts):
        raise ValueError(f"{file} has the generated parts {found}, and should have {list(parts)}")
    space = "\n" if file.endswith(".md") else ""
    return _PART.sub(lambda match: f"{match['begin']}{space}{parts[match['name']]()}\n{space}{match['end']}", text)


def main(arguments: Sequence[str] | None = None, root: Path = ROOT) -> int:
    """Write the parts, or check them; 1 if they were to be checked and do not fit."""
    parser = argparse.ArgumentParser(prog="python -m scripts.readme_tables", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit with 1 if a file is stale")
    given = parser.parse_args(arguments)
    texts = {file: (root / file).read_text("utf-8") for file in (*PARTS, *WHOLE) if (root / file).exists()}
    stale = {file: new for file, text in texts.items() if (new := renewed(file, text)) != text}
    if given.check:
        for file in stale:
            print(f"{file} is stale: run `python -m scripts.readme_tables`", file=sys.stderr)
        return int(bool(stale))
    for file, new in stale.items():
        (root / file).write_text(new, "utf-8")
    return 0


def _default(row: Setting) -> str:
    if row.required:
        return "**required**"
    return "" if row.default in (None, ()) else f"`{row.default}`"


def _crms(row: Setting) -> str:
    users = users_of(row.name)
    return "all" if len(users) == len(PROVIDERS) else ", ".join(provider.title for provider in users)


def _meaning(row: Setting) -> str:
    return f"{row.text}{' Secret.' if row.secret else ''}"


def _streams_of(provider: Provider) -> str:
    """Return the tables of one CRM; streams that catch the same share a line."""
    caught: dict[str, list[str]] = {}
    for spec in provider.streams:
        caught.setdefault(spec.caught, []).append(f"`{spec.name}`")
    found = []
    if provider.discover is not None:
        name, primary_key, catches = DISCOVERED[provider.name]
        caught[catches] = [f"`{name}`"]
        found = [(f"`{name}`", primary_key, "", "yes")]
    own = (
        (f"`{WRITES}`", "`journal_id`, `sequence`", "`sequence`", "yes, with the setting `journal`"),
        (f"`{AUDIT}`", "`run_id`, `stream`", "", "yes"),
    )
    streams = _table(
        ("stream", "primary key", "replication key", "selected by default"),
        [*(_row(spec) for spec in provider.streams), *found, *own],
    )
    lines = (f"- {', '.join(names)}: {what}." for what, names in caught.items())
    return "\n\n".join((f"## {provider.title}", streams, "What is caught, and when:", "\n".join(lines)))


def _row(spec: StreamSpec) -> tuple[str, ...]:
    primary_key = ", ".join(f"`{key}`" for key in spec.primary_key)
    replication = f"`{spec.replication_key}`" if spec.replication_key else ""
    return (f"`{spec.name}`", primary_key, replication, "yes" if spec.selected else "no: many requests, or much text")


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = (head, ["---"] * len(head), *rows)
    return "\n".join(f"| {' | '.join(cell.replace('|', '&#124;') for cell in line)} |" for line in lines)


if __name__ == "__main__":
    sys.exit(main())
