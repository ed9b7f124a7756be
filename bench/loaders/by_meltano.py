"""Runs the loaders of `meltano.yml` that write files, as Meltano does it: install, run, edit the CRM, run again.

python -m bench.loaders.by_meltano          # or some of them by name
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.loaders import places
from sandbox.client import Client
from sandbox.server import running
from scripts.demo_copper import COPPER
from tests.meltano.conftest import APPS
from tests.meltano.project import Project

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

#: Where each loads, and what docs/loaders.md says that the extractor needs.
LOADERS: Mapping[str, tuple[Any, dict[str, str]]] = {
    "target-jsonl": (places.json_lines, {}),
    "target-csv": (
        places.csv_lines,
        {"TAP_COPPER_NESTED_VALUES": "text", "TAP_COPPER_MISSING_PROPERTIES": "null"},
    ),
    "target-s3": (places.parquet_objects, {"TAP_COPPER_FREE_OBJECTS": "text"}),
    "target-s3tables": (places.iceberg_catalog, {"TAP_COPPER_FREE_OBJECTS": "text"}),
}
STREAMS = ("people", "companies", "leads", "opportunities", "activities")
FIELDS = ("name", "title", "details")
#: `meltano.yml` says these by the extractor.
_OURS = ("namespace", "prefix")


def variables(loader: str, config: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, str]]:
    """Return a loader's config as Meltano takes it from the environment."""
    for name, value in config.items():
        if isinstance(value, dict):
            yield from variables(loader, value, f"{path}{name}_")
        elif name not in _OURS:
            variable = f"{loader}_{path}{name}".replace("-", "_").upper()
            yield variable, value if isinstance(value, str) else json.dumps(value)


def differing(client: Client, tables: places.Tables) -> Iterator[str]:
    """Tell of which streams the last row of each key is not what the CRM has."""
    for stream in STREAMS:
        here = {str(row["id"]): _shown(row) for row in tables.get(stream, ())}
        there = {str(record["id"]): _shown(record) for record in client.control(f"truth/{stream}")}
        if here != there:
            yield f"{stream}: {len(here)} for {len(there)}, {sum(there[key] != here.get(key) for key in there)} differ"


def _shown(record: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(str(record.get(name) or "") for name in FIELDS)


def run(project: Project, client: Client, loader: str) -> str:
    """Load twice; returns what became of it."""
    make, settings = LOADERS[loader]
    project.meltano("install", loader)
    folder = project.folder / loader
    folder.mkdir()
    began = time.monotonic()
    with make(folder, project.folder / ".meltano" / "loaders" / loader / "venv" / "bin" / "python") as place:
        for _ in range(2):
            client.control("edit", {"object": "people", "count": 7})
            project.load(COPPER, loader, client.url, **dict(variables(loader, place.config)), **settings)
        wrong = list(differing(client, place.read(STREAMS)))
    return f"{'; '.join(wrong) or 'as in the CRM'} after two runs ({time.monotonic() - began:.0f} s)"


def main() -> None:
    """Run the loaders that are named, or all."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", choices=[*LOADERS, []], metavar="NAME", help=", ".join(LOADERS))
    names = parser.parse_args().names or LOADERS
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="mr", ignore_cleanup_errors=True)))
        project = stack.enter_context(closing(Project(folder)))
        client = stack.enter_context(closing(Client(stack.enter_context(running(APPS[COPPER.name]())))))
        for loader in names:
            print(f"{loader}: {run(project, client, loader)}", flush=True)


if __name__ == "__main__":
    main()
