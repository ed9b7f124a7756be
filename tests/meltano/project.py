"""A Meltano project like the one of this checkout, in a folder of its own."""

from __future__ import annotations

import json
import os
import re
import sqlite3
import sys
from contextlib import closing
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from tests import leaks
from tests.meltano.programs import Program

if TYPE_CHECKING:
    from scripts.demo_crm import Crm

ROOT = Path(__file__).resolve().parents[2]
_OURS = ("TAP_", "TARGET_", "MELTANO_")
_KEPT = "MELTANO_VENV_BACKEND"
_UNCOMPILED = "PYTHONDONTWRITEBYTECODE"
#: target-duckdb reads such a file for each column, which took as long as loading; what warns goes to stderr anyway.
_LOGGING = "[loggers]\nkeys=root\n[handlers]\nkeys=\n[formatters]\nkeys=\n[logger_root]\nlevel=WARNING\nhandlers=\n"


@cache
def plugins() -> dict[str, dict[str, Any]]:
    """Return what `meltano.yml` says of all plugins, by name."""
    groups = yaml.safe_load((ROOT / "meltano.yml").read_text())["plugins"]
    return {plugin["name"]: plugin for group in groups.values() for plugin in group}


class Project:
    """The project's `meltano.yml` in a folder of its own.

    The tap is the one that these tests have: `tests/packaging` installs it.

    Args:
        folder: where it is made.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._loaders: dict[str, Program] = {}
        definition = (ROOT / "meltano.yml").read_text()
        programs = Path(sys.executable).parent
        own, found = re.subn(
            r"pip_url: -e \.(?:\[audit\].*)?\n +executable: (\S+)\n",
            lambda ours: f"executable: '{programs / ours[1]}'\n",
            definition,
        )
        assert found == 2  # the tap and the target
        (folder / "meltano.yml").write_text(own)
        (folder / "output").mkdir()
        (folder / "logging.conf").write_text(_LOGGING)
        quiet = {"MELTANO_CLI_LOG_FORMAT": "uncolored"}
        self._meltano = Program(Path(sys.executable).with_name("meltano"), {**self.environment(), **quiet})

    def environment(self) -> dict[str, str]:
        """Return the environment of Meltano and its plugins, without settings of whoever runs the tests.

        What they import is compiled once for all runs, whatever is usual on this machine: it is most of a start.
        """
        kept = {name: value for name, value in os.environ.items() if name == _KEPT or not name.startswith(_OURS)}
        kept.pop(_UNCOMPILED, None)
        return {**kept, "LOGGING_CONF_FILE": str(self.folder / "logging.conf")}

    def meltano(self, *arguments: str, **environment: str) -> str:
        """Run Meltano, which must succeed; returns its output."""
        done = self._meltano.run(*arguments, folder=self.folder, variables=environment)
        for written in (".meltano/logs", ".meltano/run", "output"):
            leaks.check_folder({**self.environment(), **environment}, self.folder / written)
        output = (done.stdout + done.stderr).decode()
        assert done.returncode == 0, output[-6000:]
        return output

    def loader(self, name: str) -> Program:
        """Return a loader, which Meltano installs if none of its runs has done so."""
        if name not in self._loaders:
            program = self.folder / ".meltano" / "loaders" / name / "venv" / "bin" / plugins()[name]["executable"]
            if not program.exists():
                self.meltano("install", name)
            self._loaders[name] = Program(program, self.environment())
        return self._loaders[name]

    def close(self) -> None:
        """End what its runs were forked from."""
        for program in (self._meltano, *self._loaders.values()):
            program.close()

    def state(self, extractor: str, loader: str) -> dict[str, Any]:
        """Return the state that Meltano has of an extractor's runs into a loader."""
        # What `meltano state get` prints, without seconds of its start.
        with closing(sqlite3.connect(self.folder / ".meltano" / "meltano.db")) as connection:
            question = "SELECT completed_state FROM state WHERE state_id = ?"
            ((kept,),) = connection.execute(question, [f"dev:{extractor}-to-{loader}"]).fetchall()
        state: dict[str, Any] = json.loads(kept)["singer_state"]
        return state

    def load(self, crm: Crm, loader: str, url: str, **environment: str) -> str:
        """Run a CRM's extractor on a server into a loader."""
        address = {f"{crm.extractor.replace('-', '_').upper()}_API_URL": url}
        return self.meltano("run", crm.extractor, loader, **address, **crm.settings, **environment)
