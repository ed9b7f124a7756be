"""A Meltano project like the one of this checkout, in a folder of its own."""

from __future__ import annotations

import json
import os
import re
import sqlite3
import subprocess
import sys
from contextlib import closing
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from scripts.demo_crm import Crm

ROOT = Path(__file__).resolve().parents[2]
_OURS = ("TAP_", "TARGET_", "MELTANO_")
_KEPT = "MELTANO_VENV_BACKEND"
_UNCOMPILED = "PYTHONDONTWRITEBYTECODE"
#: target-duckdb reads such a file for each column, which takes as long as loading; what warns goes to stderr anyway.
_LOGGING = "[loggers]\nkeys=root\n[handlers]\nkeys=\n[formatters]\nkeys=\n[logger_root]\nlevel=WARNING\nhandlers=\n"


@cache
def plugins() -> dict[str, dict[str, Any]]:
    """Return what `meltano.yml` says of all plugins, by name."""
    groups = yaml.safe_load((ROOT / "meltano.yml").read_text())["plugins"]
    return {plugin["name"]: plugin for group in groups.values() for plugin in group}


class Project:
    """The project's `meltano.yml` in a folder of its own.

    Args:
        folder: where it is made.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        definition = (ROOT / "meltano.yml").read_text()
        own, found = re.subn(r"pip_url: -e \.(\[audit\].*)?\n", f"pip_url: -e '{ROOT}'\n", definition)
        assert found == 2  # the tap and the target
        (folder / "meltano.yml").write_text(own)
        (folder / "output").mkdir()
        (folder / "logging.conf").write_text(_LOGGING)

    def environment(self) -> dict[str, str]:
        """Return the environment of Meltano and its plugins, without settings of whoever runs the tests.

        What they import is compiled once for all runs, whatever is usual on this machine: it is most of a start.
        """
        kept = {name: value for name, value in os.environ.items() if name == _KEPT or not name.startswith(_OURS)}
        kept.pop(_UNCOMPILED, None)
        logging = str(self.folder / "logging.conf")
        return {**kept, "PYTHONPYCACHEPREFIX": str(self.folder / "bytecode"), "LOGGING_CONF_FILE": logging}

    def meltano(self, *arguments: str, **environment: str) -> str:
        """Run Meltano, which must succeed; returns its output."""
        done = subprocess.run(
            [str(Path(sys.executable).with_name("meltano")), *arguments],
            cwd=self.folder,
            env={**self.environment(), "MELTANO_CLI_LOG_FORMAT": "uncolored", **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=240,
        )
        assert done.returncode == 0, done.stdout[-6000:]
        return done.stdout

    def loader(self, name: str) -> str:
        """Return the program of a loader, which Meltano installs if none of its runs has done so."""
        program = self.folder / ".meltano" / "loaders" / name / "venv" / "bin" / plugins()[name]["executable"]
        if not program.exists():
            self.meltano("install", name)
        return str(program)

    def state(self, extractor: str, loader: str, suffix: str = "") -> dict[str, Any]:
        """Return the state that Meltano has of an extractor's runs into a loader, or of those with such a suffix."""
        # What `meltano state get` prints, without seconds of its start.
        with closing(sqlite3.connect(self.folder / ".meltano" / "meltano.db")) as connection:
            question = "SELECT completed_state FROM state WHERE state_id = ?"
            name = ":".join(["dev", f"{extractor}-to-{loader}", *([suffix] if suffix else [])])
            ((kept,),) = connection.execute(question, [name]).fetchall()
        state: dict[str, Any] = json.loads(kept)["singer_state"]
        return state

    def load(self, crm: Crm, loader: str, url: str, suffix: str = "", **environment: str) -> str:
        """Run a CRM's extractor on a server into a loader; with a suffix, it has a state of its own."""
        address = {f"{crm.extractor.replace('-', '_').upper()}_API_URL": url}
        apart = (f"--state-id-suffix={suffix}",) if suffix else ()
        return self.meltano("run", *apart, crm.extractor, loader, **address, **crm.settings, **environment)
