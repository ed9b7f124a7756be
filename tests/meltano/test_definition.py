"""What `meltano.yml` says of the tap is what the tap says of itself."""

# ruff: noqa: D103  (the name of a test is its sentence)
from __future__ import annotations

import json
import tomllib
from typing import Any

import pytest
import yaml
from meltano.core.plugin.base import PluginDefinition

from scripts import plugin_definition
from tap_crm.providers import PROVIDERS
from tap_crm.providers.setting_table import rows
from tap_crm.singer.tap import TapCRM
from tests.meltano import project


@pytest.fixture(scope="module")
def plugins() -> dict[str, dict[str, Any]]:
    """Give all plugins by name."""
    return project.plugins()


@pytest.fixture(scope="module")
def settings(plugins: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Give the tap's settings by name."""
    return {setting["name"]: setting for setting in plugins["tap-crm"]["settings"]}


def test_no_setting_is_defined_that_the_tap_does_not_have(settings: dict[str, Any]) -> None:
    assert settings.keys() <= TapCRM.config_jsonschema["properties"].keys() | _sdk_settings()


def test_exactly_the_secrets_are_sensitive(settings: dict[str, Any]) -> None:
    secrets = {row.name for row in rows() if row.secret}
    assert {name for name, setting in settings.items() if setting.get("sensitive")} == secrets


def test_each_crm_can_be_chosen(settings: dict[str, Any]) -> None:
    assert {option["value"] for option in settings["provider"]["options"]} == PROVIDERS.keys()


@pytest.mark.parametrize("crm", PROVIDERS)
def test_each_crm_has_an_extractor_that_loads_into_a_schema_of_its_own(plugins: dict[str, Any], crm: str) -> None:
    extractor = plugins[f"tap-{crm}"]
    assert (extractor["inherit_from"], extractor["config"], extractor["load_schema"]) == (
        "tap-crm",
        {"provider": crm},
        crm,
    )


@pytest.mark.parametrize("crm", PROVIDERS)
def test_an_extractor_leaves_out_what_the_tap_leaves_out(plugins: dict[str, Any], crm: str) -> None:
    left_out = [f"!{spec.name}.*" for spec in PROVIDERS[crm].streams if not spec.selected]
    assert sorted(plugins[f"tap-{crm}"]["select"]) == sorted(["*.*", *left_out])


def test_the_definition_for_a_hub_is_what_the_tap_says_of_itself(plugins: dict[str, dict[str, Any]]) -> None:
    """Meltano takes it, and its settings are those of this project."""
    assert plugin_definition.main(["--check"]) == 0
    defined = yaml.safe_load(plugin_definition.FILE.read_text("utf-8"))
    assert PluginDefinition.parse({"plugin_type": "extractors", **defined}).name == "tap-crm"
    own = plugins["tap-crm"]
    assert {one["name"] for one in own["settings"]} <= {one["name"] for one in defined["settings"]}
    alike = ("capabilities", "settings_group_validation", "executable", "namespace")
    assert {name: defined[name] for name in alike} == {name: own[name] for name in alike}


def test_each_command_of_the_project_is_one_that_is_installed(plugins: dict[str, dict[str, Any]]) -> None:
    """And what they need beside the tap is installed with it."""
    scripts = tomllib.loads((project.ROOT / "pyproject.toml").read_text("utf-8"))["project"]["scripts"]
    told = {name: one["executable"] for name, one in plugins["tap-crm"]["commands"].items()}
    assert told == {"audit": "tap-crm-audit", "call": "tap-crm-call", "report": "tap-crm-report"}
    assert set(told.values()) <= scripts.keys()
    assert plugins["tap-crm"]["pip_url"] == "-e .[audit]"


def test_the_audit_of_an_extractor_looks_into_its_own_schema(plugins: dict[str, dict[str, Any]]) -> None:
    """Else that of a second account, which has a schema of its own, is held against the rows of the first."""
    assert plugins["tap-crm"]["commands"]["audit"]["args"].endswith(" --schema $MELTANO_EXTRACT__LOAD_SCHEMA")


def test_no_credential_is_written_in_it(plugins: dict[str, dict[str, Any]]) -> None:
    configured = {name for plugin in plugins.values() for name in plugin.get("config", {})}
    assert configured.isdisjoint({"api_key", "access_token", "oauth", "user_email", "sqlalchemy_url"})


def test_the_sample_config_is_one_that_the_tap_takes() -> None:
    sample = json.loads((project.ROOT / "sample_config.json").read_text())
    assert sample.keys() <= {row.name for row in rows()}
    asking_nobody = sample | {"custom_fields": "raw"}  # else it would ask Copper itself for their definitions
    assert TapCRM(config=asking_nobody, parse_env_config=False, validate_config=True).settings.provider == "copper"


def _sdk_settings() -> set[str]:
    shared = ("stream_maps", "stream_map_config", "faker_config", "batch_config")
    return {*shared, *(f"flattening_{name}" for name in ("enabled", "max_depth", "max_key_length", "separator"))}
