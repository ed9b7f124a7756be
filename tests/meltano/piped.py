"""Runs of an extractor into loaders as Meltano does them, without Meltano, whose own work takes longest."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests import in_process
from tests.meltano.project import plugins
from tests.singer import Tap, environment, execute, selecting

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from scripts.demo_crm import Crm
    from tests.meltano.databases import Loaded
    from tests.meltano.project import Project

_PLAIN = {"string", "options", "date_iso8601"}
"""Kinds of settings that are text; others come as JSON."""
_SCHEMA = "$MELTANO_EXTRACT__LOAD_SCHEMA"


@dataclass
class Piped:
    """Runs of one extractor into one database, or into several by different loaders.

    As under Meltano, the tap discovers at each run, and reads what is selected of that. The loader that Meltano
    installed is given what it wrote, and says which state the next run begins with; several loaders are given the same,
    and must say the same.

    Args:
        project: where the loaders are installed.
        folder: for files.
        crm: which extractor.
        url: the address of the server that it reads.
        databases: what is loaded.
        streams: what is read; without any, what the tap reads by default.
        state: where an earlier run ended, if there was one.
        offered: the catalog that the last run has discovered, if there was one.
    """

    project: Project
    folder: Path
    crm: Crm
    url: str
    databases: tuple[Loaded, ...]
    streams: tuple[str, ...] = ()
    state: dict[str, Any] | None = None
    offered: dict[str, Any] | None = None

    def run(self, **variables: str) -> None:
        """Run it once, with settings named as in Meltano's environment beside those of `meltano.yml`."""
        given = {**self.crm.settings, **variables}
        messages = self._read(self._tap(given))
        self.state, *others = (
            self._load(messages, one.loader, settings(one.loader, {**given, **one.settings})) for one in self.databases
        )
        assert others == [self.state] * len(others)

    @property
    def database(self) -> Loaded:
        """The database, where there is only one."""
        (only,) = self.databases
        return only

    def go_on(self) -> None:
        """Begin the next run where Meltano's last one ended."""
        self.state = self.project.state(self.crm.extractor, self.database.loader)

    def lacking(self) -> dict[str, set[str]]:
        """Return the properties of each stream that discovery describes and that have no column, whatever its case."""
        catalog = self.offered or self._tap(self.crm.settings).discover()[0]
        tables = self.database.column_types(self.crm.schema)
        return {
            entry["tap_stream_id"]: {name.lower() for name in entry["schema"]["properties"]}
            - {name.lower() for name in tables[entry["stream"]]}
            for entry in catalog["streams"]
            if entry["stream"] in tables
        }

    def _tap(self, variables: Mapping[str, str]) -> Tap:
        tap = Tap(self.folder, **settings(self.crm.extractor, variables), api_url=self.url)
        tap.inside = True
        return tap

    def _read(self, tap: Tap) -> bytes:
        """Discover and read; returns the messages."""
        self.offered = catalog = tap.discover()[0]
        chosen = selecting(catalog, *self.streams, "sync_audit") if self.streams else catalog
        command, variables = tap.command(state=self.state, catalog=chosen), environment(measured=False)
        if tap.warm:
            read = in_process.execute(command, variables, measured=False)
        else:
            read = execute(command, variables, 240, warm=False)
        assert read.returncode == 0, read.stderr.decode()[-6000:]
        return read.stdout

    def _load(self, messages: bytes, loader: str, config: dict[str, Any]) -> dict[str, Any]:
        """Load messages; returns the last state."""
        config = {name: self.crm.schema if value == _SCHEMA else value for name, value in config.items()}
        loaded = self.project.loader(loader).run("--config", Tap(self.folder).write("loader", config), given=messages)
        assert loaded.returncode == 0, loaded.stderr.decode()[-6000:]
        state: dict[str, Any] = json.loads(loaded.stdout.splitlines()[-1])
        return state


def settings(name: str, variables: Mapping[str, str]) -> dict[str, Any]:
    """Return the config of a plugin: what `meltano.yml` says, then what variables do."""
    plugin = plugins()[name]
    parent = plugins()[plugin["inherit_from"]] if "inherit_from" in plugin else plugin
    config: dict[str, Any] = {one["name"]: one["value"] for one in parent["settings"] if "value" in one}
    config |= plugin.get("config", {})
    prefix = name.replace("-", "_").upper()
    for setting in parent["settings"]:
        text = variables.get(f"{prefix}_{setting['name'].upper()}")
        if text is not None:
            config[setting["name"]] = text if setting["kind"] in _PLAIN else json.loads(text)
    return config
