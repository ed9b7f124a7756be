"""The wheel holds what the tap needs, and runs where there is no checkout."""

# ruff: noqa: D103  (the name of a test is its sentence)
from __future__ import annotations

import json
import os
import sys
import zipfile
from collections import Counter
from pathlib import Path

import pytest

from sandbox.copper import API_KEY, SMALL, USER_EMAIL, copper_app
from sandbox.server import running
from tests.started import run

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel."""
    folder = tmp_path_factory.mktemp("wheel")
    _run(folder, *_UV, "build", "--wheel", "--out-dir", str(folder), str(ROOT))
    (wheel,) = folder.glob("*.whl")
    return wheel


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the wheel, and nothing else, into an empty environment; gives its command."""
    folder = tmp_path_factory.mktemp("installed")
    _run(folder, *_UV, "venv", "--python", sys.executable, "env")
    _run(folder, *_UV, "pip", "install", "--python", "env", str(wheel))
    return folder / "env" / "bin" / "tap-crm"


def test_it_ships_the_schemas(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    schemas = {f"tap_crm/{path.relative_to(ROOT)}" for path in (ROOT / "schemas").rglob("*.json")}
    assert "tap_crm/schemas/copper/people.json" in schemas
    assert schemas <= names


def test_it_ships_its_type_marker(wheel: Path) -> None:
    assert "tap_crm/py.typed" in zipfile.ZipFile(wheel).namelist()


def test_it_ships_nothing_else(wheel: Path) -> None:
    tops = {name.partition("/")[0] for name in zipfile.ZipFile(wheel).namelist()}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"tap_crm", "target_crm"}


def test_it_tells_about_itself(installed: Path, tmp_path: Path) -> None:
    about = json.loads(_run(tmp_path, str(installed), "--about", "--format=json"))
    assert about["name"] == "tap-crm"
    assert "discover" in about["capabilities"]


def test_it_reads_an_account_without_the_checkout(installed: Path, tmp_path: Path) -> None:
    with running(copper_app(SMALL, rate_limit=0)) as url:
        config = {"provider": "copper", "api_key": API_KEY, "user_email": USER_EMAIL, "api_url": url}
        (tmp_path / "config.json").write_text(json.dumps(config | {"requests_per_minute": 0}))
        written = _run(tmp_path, str(installed), "--config", "config.json")
    messages = [json.loads(line) for line in written.split("\n") if line]  # splitlines() also splits within records
    records = Counter(message["stream"] for message in messages if message["type"] == "RECORD")
    assert (records["people"], records["opportunities"], records["activities"]) == (300, 60, 400)


_UV = (str(Path(sys.executable).with_name("uv")), "--no-config", "--quiet")


def _run(folder: Path, *command: str) -> str:
    """Run a command outside of the checkout; returns its standard output."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("TAP_", "PYTHON"))}
    done = run(command, folder=folder, variables=environment)
    assert done.returncode == 0, done.stderr.decode()[-4000:]
    return done.stdout.decode()
