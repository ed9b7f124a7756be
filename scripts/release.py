"""Says whether a tag fits: `python -m scripts.release v1.2.3` in a checkout of what is to be published.

The tag is `v` and the version of pyproject.toml, and CHANGELOG.md has a section of that version with its date.
"""

from __future__ import annotations

import re
import sys
import tomllib
from datetime import date
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
_SECTION = re.compile(r"^## \[(?P<version>[^\]]+)\](?: - (?P<date>\S+))?$", re.MULTILINE)


def sections(changelog: str) -> dict[str, str | None]:
    """Return the versions of a changelog, newest first, each with its date."""
    return {one["version"]: one["date"] for one in _SECTION.finditer(changelog)}


def complaint(tag: str, version: str, dates: dict[str, str | None]) -> str | None:
    """Return why a tag does not fit; None if it does."""
    if tag != f"v{version}":
        return f"the tag is {tag}, and pyproject.toml has the version {version}: its tag is v{version}"
    if version not in dates:
        return f"CHANGELOG.md has no section [{version}]"
    try:
        date.fromisoformat(dates[version] or "")
    except ValueError:
        return f"the section [{version}] of CHANGELOG.md has no date: `## [{version}] - 2026-01-31`"
    return None


def main(arguments: list[str]) -> int:
    """Say what does not fit; 1 if something does not."""
    if len(arguments) != 1:
        print(__doc__, file=sys.stderr)
        return 2
    version = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    found = complaint(arguments[0], version, sections((ROOT / "CHANGELOG.md").read_text("utf-8")))
    print(found or f"{arguments[0]} fits", file=sys.stderr)
    return int(found is not None)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
