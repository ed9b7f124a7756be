"""A Meltano project like the one of this checkout, in a folder of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from scripts.demo_crm import Crm

ROOT = Path(__file__).resolve().parents[2]
_OURS = ("TAP_", "TARGET_", "MELTANO_")
_KEPT = "MELTANO_VENV_BACKEND"


class Project:
    """The project's `meltano.yml` in a folder of its own.

    Args:
        folder: where it is made.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        definition = (ROOT / "meltano.yml").read_text()
        assert definition.count("pip_url: -e .\n") == 1
        (folder / "meltano.yml").write_text(definition.replace("pip_url: -e .\n", f"pip_url: -e '{ROOT}'\n"))
        (folder / "output").mkdir()

    def meltano(self, *arguments: str, **environment: str) -> str:
        """Run Meltano, which must succeed; returns its output."""
        inherited = {name: value for name, value in os.environ.items() if name == _KEPT or not name.startswith(_OURS)}
        done = subprocess.run(
            [str(Path(sys.executable).with_name("meltano")), *arguments],
            cwd=self.folder,
            env={**inherited, "MELTANO_CLI_LOG_FORMAT": "uncolored", **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=240,
        )
        assert done.returncode == 0, done.stdout[-6000:]
        return done.stdout

    def load(self, crm: Crm, loader: str, url: str, **environment: str) -> str:
        """Run a CRM's extractor on a server into a loader."""
        address = {f"{crm.extractor.replace('-', '_').upper()}_API_URL": url}
        return self.meltano("run", crm.extractor, loader, **address, **crm.settings, **environment)
