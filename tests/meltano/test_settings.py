"""Every setting reaches the tap by `meltano.yml`, `.env` and a variable, one of each kind by `meltano config set`."""

# ruff: noqa: D103  (the name of a test is its sentence)
from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tap_crm.config.config_input import converted
from tap_crm.config.meltano_select import select_rules
from tap_crm.config.settings import Settings
from tap_crm.providers import PROVIDERS
from tap_crm.providers.setting_table import rows
from tap_crm.singer.tap import TapCRM
from tests.meltano.project import ROOT, plugins
from tests.started import run
from tests.unit.test_config_input import SCHEMA, VALUES, as_text

if TYPE_CHECKING:
    from pathlib import Path

#: What Copper takes. Meltano reads `$` in a text as a variable; there is none in it.
GIVEN: dict[str, Any] = {**VALUES, "provider": "copper"}
WAYS = ("file", "dotenv", "variable", "set", "nothing")
_KINDS = {setting["name"]: setting["kind"] for setting in plugins()["tap-crm"]["settings"]}
#: One of each kind and type: `set` writes what it makes of a text into the file, from which all settings are read.
SET = {name: GIVEN[name] for name in {(_KINDS[name], type(value)): name for name, value in GIVEN.items()}.values()}


@pytest.fixture(scope="module")
def configs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """Return what Meltano hands to the tap, by the way in which the settings were given."""
    folders = {way: tmp_path_factory.mktemp(way) for way in WAYS}
    asked: dict[str, dict[str, dict[str, str]]] = {}
    variables = {f"TAP_COPPER_{name.upper()}": as_text(value) for name, value in GIVEN.items()}
    for way, folder in folders.items():
        definition = yaml.safe_load((ROOT / "meltano.yml").read_text())
        # Without the other plugins: `set` reads and writes the whole file for each setting.
        extractors = [one for one in definition["plugins"]["extractors"] if one["name"] in ("tap-crm", "tap-copper")]
        definition["plugins"] = {"extractors": extractors}
        if way == "file":
            (copper,) = (one for one in definition["plugins"]["extractors"] if one["name"] == "tap-copper")
            copper["config"] = GIVEN
        (folder / "meltano.yml").write_text(yaml.safe_dump(definition))
        if way == "dotenv":
            (folder / ".env").write_text("".join(f"{name}='{value}'\n" for name, value in variables.items()))
        asked[str(folder)] = {
            "variables": {"variable": variables, "nothing": dict.fromkeys(variables, "")}.get(way, {}),
            "set": {name: as_text(value) for name, value in SET.items()} if way == "set" else {},
        }
        if (
            way == "nothing"
        ):  # `provider` makes the extractor Copper's; Meltano takes no empty object, and no empty date
            for name in ("provider", "oauth", "start_date"):
                del asked[str(folder)]["variables"][f"TAP_COPPER_{name.upper()}"]
    return dict(zip((*WAYS, "environment"), _meltano(folders["file"], asked), strict=True))


def test_meltano_tells_the_tap_what_is_selected(configs: dict[str, dict[str, Any]]) -> None:
    assert select_rules(configs["environment"]) == plugins()["tap-copper"]["select"]


def _meltano(folder: Path, asked: dict[str, Any]) -> list[dict[str, Any]]:
    question, answer = folder / "asked.json", folder / "answered.json"
    question.write_text(json.dumps(asked))
    command = [sys.executable, "-m", "tests.meltano.settings_probe", str(question), str(answer)]
    done = run(command, folder=ROOT)
    assert done.returncode == 0, (done.stdout + done.stderr).decode()[-3000:]
    found: dict[str, Any] = json.loads(answer.read_text())
    return [*(found[way] for way in asked), found["environment"]]


@pytest.mark.parametrize("way", WAYS[:-1])
def test_every_setting_that_is_given_arrives_by_each_way(configs: dict[str, dict[str, Any]], way: str) -> None:
    given = converted(configs[way], SCHEMA)
    expected = {"provider": "copper", **SET} if way == "set" else GIVEN
    assert Settings.from_config(given, PROVIDERS) == Settings.from_config(expected, PROVIDERS)
    ours = {row.name for row in rows()}
    assert {name: value for name, value in given.items() if name in expected and name not in ours} == {
        name: value for name, value in expected.items() if name not in ours
    }
    assert given.keys() >= expected.keys()


def test_empty_variables_leave_the_defaults(configs: dict[str, dict[str, Any]]) -> None:
    given = converted(configs["nothing"], SCHEMA)
    assert Settings.from_config(given, PROVIDERS) == Settings.from_config({"provider": "copper"}, PROVIDERS)


def test_what_meltano_hands_over_is_what_the_tap_knows(configs: dict[str, dict[str, Any]]) -> None:
    assert configs["file"].keys() == TapCRM.config_jsonschema["properties"].keys()
