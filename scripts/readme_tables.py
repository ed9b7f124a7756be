"""Writes the README's tables from the code: `python -m scripts.readme_tables`; `--check` only says whether they fit."""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tap_crm.config.schema import CONFIG
from tap_crm.contract.stream import AUDIT
from tap_crm.providers import PROVIDERS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from tap_crm.contract.stream import Provider, StreamSpec

README = Path(__file__).resolve().parents[1] / "README.md"
_PART = re.compile(r"(<!-- generated: (?P<name>[a-z]+) -->\n).*?(<!-- end -->)", re.DOTALL)


def settings_table() -> str:
    """Return a row for each setting, in the order in which the code declares them."""
    required = CONFIG.get("required", ())
    return _table(
        ("setting", "type", "default", "meaning"),
        (
            (f"`{name}`", _type(part), _default(name, part, required), _meaning(part))
            for name, part in CONFIG["properties"].items()
        ),
    )


def streams_tables() -> str:
    """Return for each CRM a table of its streams, and below it what each of them catches."""
    return "\n\n".join(_streams_of(provider) for provider in PROVIDERS.values())


#: Streams that only the account tells of: by CRM, a name that stands for all, their key, and what they catch.
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
PARTS: Mapping[str, Callable[[], str]] = {"settings": settings_table, "streams": streams_tables}


def renewed(text: str) -> str:
    """Return the README's text with every generated part written anew.

    Raises:
        ValueError: a part is missing, or is there twice.
    """
    found = [match["name"] for match in _PART.finditer(text)]
    if sorted(found) != sorted(PARTS):
        raise ValueError(f"the README has the generated parts {found}, and should have {list(PARTS)}")
    return _PART.sub(lambda match: f"{match[1]}\n{PARTS[match['name']]()}\n\n{match[3]}", text)


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the tables, or check them; 1 if they were to be checked and do not fit."""
    parser = argparse.ArgumentParser(prog="python -m scripts.readme_tables", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit with 1 if the README is stale")
    given = parser.parse_args(arguments)
    text = README.read_text("utf-8")
    new = renewed(text)
    if given.check:
        if new != text:
            print("README.md is stale: run `python -m scripts.readme_tables`", file=sys.stderr)
        return int(new != text)
    README.write_text(new, "utf-8")
    return 0


def _type(part: Mapping[str, Any]) -> str:
    declared = part["type"]
    return " or ".join(name for name in ([declared] if isinstance(declared, str) else declared) if name != "null")


def _default(name: str, part: Mapping[str, Any], required: Iterable[str]) -> str:
    if name in required:
        return "**required**"
    return f"`{part['default']}`" if "default" in part else ""


def _meaning(part: Mapping[str, Any]) -> str:
    return f"{part['description']}{' Secret.' if part.get('secret') else ''}"


def _streams_of(provider: Provider) -> str:
    """Return the tables of one CRM; streams that catch the same share a line."""
    caught: dict[str, list[str]] = {}
    for spec in provider.streams:
        caught.setdefault(spec.caught, []).append(f"`{spec.name}`")
    found = []
    if provider.discover is not None:
        name, keys, catches = DISCOVERED[provider.name]
        caught[catches] = [f"`{name}`"]
        found = [(f"`{name}`", keys, "", "yes")]
    audit_row = (f"`{AUDIT}`", "`run_id`, `stream`", "", "yes")
    streams = _table(
        ("stream", "primary key", "replication key", "selected by default"),
        [*(_row(spec) for spec in provider.streams), *found, audit_row],
    )
    lines = (f"- {', '.join(names)}: {what}." for what, names in caught.items())
    return "\n\n".join((f"### {provider.title}", streams, "What is caught, and when:", "\n".join(lines)))


def _row(spec: StreamSpec) -> tuple[str, ...]:
    keys = ", ".join(f"`{key}`" for key in spec.keys)
    replication = f"`{spec.replication_key}`" if spec.replication_key else ""
    return (f"`{spec.name}`", keys, replication, "yes" if spec.selected else "no: a request per parent record")


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = (head, ["---"] * len(head), *rows)
    return "\n".join(f"| {' | '.join(cell.replace('|', '&#124;') for cell in line)} |" for line in lines)


if __name__ == "__main__":
    sys.exit(main())
