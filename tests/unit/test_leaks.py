"""A run that shows a secret fails its test, whatever that test looks at, and however it runs."""

from __future__ import annotations

import base64
import json
import sys
from typing import TYPE_CHECKING, Any

import pytest

from tap_crm.config.setting import rows_of
from tap_crm.providers.setting_table import rows
from target_crm.config.settings import TargetSettings
from tests import in_process, leaks, warm_tap
from tests.singer import environment, execute

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SECRET = "9f8e7d6c5b4a-no-word/of+a+text"
CONFIGS: list[dict[str, Any]] = [
    *({name: SECRET} for name in sorted(leaks.SECRETS)),
    {"oauth": {"client_id": "app", "refresh_token": SECRET}},
    {"oauth": json.dumps({"client_secret": SECRET})},
    {"journal": "postgresql+psycopg://crm:9f8e7d6c5b4a@db.example/journal"},
]


def _inside(command: list[str]) -> object:
    return in_process.execute(command, environment(), measured=False)


def _forked(command: list[str]) -> object:
    return warm_tap.execute(command, environment(measured=False), 60)


def _cold(command: list[str]) -> object:
    return execute(command, environment(measured=False), 60, warm=False)


def _command(folder: Path, config: dict[str, Any], output: str) -> list[str]:
    (folder / "config.json").write_text(json.dumps(config))
    return [sys.executable, "-m", "tests.unit.showing_config", "--config", str(folder / "config.json"), output]


@pytest.mark.parametrize("config", CONFIGS, ids=lambda config: next(iter(config)))
def test_each_secret_of_a_config_is_searched_for(tmp_path: Path, config: dict[str, Any]) -> None:
    """The API key, tokens, passwords in the address of a journal."""
    with pytest.raises(leaks.SecretShownError):
        _inside(_command(tmp_path, config, "stderr"))


@pytest.mark.parametrize("output", ["stdout", "stderr"])
@pytest.mark.parametrize("run", [_inside, _forked, _cold])
def test_both_outputs_of_every_kind_of_run_are_searched(
    tmp_path: Path, run: Callable[[list[str]], object], output: str
) -> None:
    """In this process, forked, and as a command of its own."""
    with pytest.raises(leaks.SecretShownError, match="api_key"):
        run(_command(tmp_path, {"api_key": SECRET}, output))


def test_outputs_that_are_files_are_searched(tmp_path: Path) -> None:
    """As those of runs that are killed, or talked to."""
    command = _command(tmp_path, {"api_key": SECRET}, "stdout")
    with (tmp_path / "output").open("wb") as output:
        run = warm_tap.WarmRun(command, environment(measured=False), output.fileno(), output.fileno())
        with pytest.raises(leaks.SecretShownError):
            run.wait(60)
        run.close()


@pytest.mark.parametrize("name", ["TAP_CRM_API_KEY", "TARGET_CRM_JOURNAL", "TAP_COPPER_OAUTH"])
def test_secrets_of_the_environment_are_searched_for(name: str) -> None:
    """Under the names that settings have there."""
    value = {"TARGET_CRM_JOURNAL": f"postgresql://crm:{SECRET.replace('/', '-')}@db/x"}.get(name, SECRET)
    given = json.dumps({"refresh_token": SECRET}) if name.endswith("OAUTH") else value
    shown = SECRET.replace("/", "-") if name.endswith("JOURNAL") else SECRET
    with pytest.raises(leaks.SecretShownError):
        leaks.check([], {name: given}, b"", f"... {shown} ...".encode())
    leaks.check([], {name: given}, b"nothing of it", b"")


def test_tokens_that_a_run_has_kept_in_a_file_are_searched_for(tmp_path: Path) -> None:
    """They are newer than those of the config."""
    (tmp_path / "tokens.json").write_text(json.dumps({"refresh_token": SECRET}))
    (tmp_path / "config.json").write_text(json.dumps({"oauth": {"token_file": str(tmp_path / "tokens.json")}}))
    with pytest.raises(leaks.SecretShownError, match="refresh_token"):
        leaks.check(["--config", str(tmp_path / "config.json")], {}, SECRET.encode())


@pytest.mark.parametrize("form", [base64.b64encode(f"{SECRET}:".encode()), b"9f8e7d6c5b4a-no-word%2Fof%2Ba%2Btext"])
def test_other_forms_of_a_secret_are_searched_for(form: bytes) -> None:
    """That of a header, and that of an address."""
    with pytest.raises(leaks.SecretShownError):
        leaks.check([], {"TAP_CRM_API_KEY": SECRET}, b"Basic " + form)


def test_every_setting_that_is_secret_is_known_here() -> None:
    """One that is added is searched for, too."""
    names = {row.name for table in (rows(), rows_of(TargetSettings)) for row in table if row.secret}
    assert names - {"oauth"} <= leaks.SECRETS | leaks.ADDRESSES
