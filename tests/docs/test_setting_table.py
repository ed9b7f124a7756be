"""A setting is declared once: everything that tells of settings is made of its row."""

# ruff: noqa: D103  (the name of a test is its sentence)
from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from scripts.meltano_settings import meltano_settings
from scripts.readme_tables import settings_table
from tap_crm.config.kinds import choice, count, text
from tap_crm.config.schema import schema_of
from tap_crm.config.setting import Setting, rows_of, setting
from tap_crm.config.settings import AccountSettings, Settings
from tap_crm.providers import PROVIDERS
from tap_crm.providers.copper.settings import CopperSettings
from tap_crm.providers.setting_table import rows, secret_texts, unused_by, users_of
from tap_crm.singer.tap import TapCRM
from tests.meltano.project import plugins

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).resolve().parents[2]
each_row = pytest.mark.parametrize("row", rows(), ids=lambda row: row.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class MoreSettings(AccountSettings):
    """What a command of its own needs besides; awkward texts are written as they are."""

    rows_at_once: int = setting(count(), "Rows: at once", "It's `10`: # no more; " + "no fewer, " * 20, default=10)
    mode: str = setting(choice("safe", "fast"), "Mode", "'safe' or 'fast'.", default="safe")
    second_key: str | None = setting(text(), "Key", "Another key.", secret=True, placeholder="k3y: no")


def meltano_entries(settings: list[Setting] | tuple[Setting, ...]) -> dict[str, dict[str, Any]]:
    """Return what Meltano reads of settings, by name."""
    found: list[dict[str, Any]] = yaml.safe_load(meltano_settings(settings))
    return {entry["name"]: entry for entry in found}


@each_row
def test_each_row_is_a_property_of_the_schema(row: Setting) -> None:
    found = TapCRM.config_jsonschema["properties"][row.name]
    assert found["description"] == row.text
    assert found.get("default") == (row.default or None)
    assert found.get("secret", False) == row.secret
    assert ("null" in found["type"]) != row.required


@each_row
def test_each_row_is_an_attribute_of_the_settings(row: Setting) -> None:
    settings = Settings.from_config({"provider": users_of(row.name)[0].name}, PROVIDERS)
    holder = settings if hasattr(settings, row.name) else settings.own
    assert row.required or getattr(holder, row.name) == row.default


@each_row
def test_each_row_is_a_line_of_the_readme(row: Setting) -> None:
    table = (
        (ROOT / "docs" / "settings.md").read_text("utf-8").partition("generated: settings")[2].partition("<!-- end")[0]
    )
    line = next(line for line in table.splitlines() if f"| `{row.name}` |" in line)
    assert row.text in line
    assert line.endswith(" Secret. |") == row.secret


@each_row
@pytest.mark.skipif(not (ROOT / "meltano.yml").exists(), reason="this checkout has no Meltano project")
def test_each_row_is_a_setting_of_meltano(row: Setting) -> None:
    found = next(one for one in plugins()["tap-crm"]["settings"] if one["name"] == row.name)
    assert (found["label"], found["description"]) == (row.label, row.text)
    assert found.get("value") == (row.default or None)
    assert found.get("sensitive", False) == row.secret
    assert {option["value"] for option in found.get("options", ())} == row.options.keys()


@each_row
def test_each_row_has_a_label_and_a_sentence(row: Setting) -> None:
    assert row.label
    assert row.text.endswith(".")


def test_a_row_more_is_in_all_that_is_made_of_the_table() -> None:
    table = rows(of=MoreSettings)
    added = {row.name: row for row in rows_of(MoreSettings)}.keys() - {row.name for row in rows_of(AccountSettings)}
    assert added == {"rows_at_once", "mode", "second_key"}
    assert added < schema_of(table)["properties"].keys()
    assert all(f"| `{name}` |" in settings_table(row for row in table if row.name in added) for name in added)
    entries = meltano_entries(table)
    assert {name: entries[name]["description"] for name in added} == {
        row.name: row.text.strip() for row in table if row.name in added
    }
    assert entries["rows_at_once"]["label"] == "Rows: at once"
    assert entries["second_key"]["placeholder"] == "k3y: no"


def test_a_command_of_its_own_has_the_settings_that_it_declares_and_those_of_the_account() -> None:
    given = {"provider": "copper", "rows_at_once": "7", "second_key": "s3cond", "user_email": "you@example.com"}
    settings = MoreSettings.from_config(given, PROVIDERS)
    assert (settings.rows_at_once, settings.mode, settings.retry_seconds) == (7, "safe", 600)
    assert settings.of(CopperSettings).user_email == "you@example.com"
    assert settings.secrets == ["s3cond"]
    assert "s3cond" not in repr(settings)


def test_rows_are_chosen_by_name() -> None:
    assert [row.name for row in rows("provider", "api_key")] == ["provider", "api_key"]
    with pytest.raises(KeyError):
        rows("frobnicate")


def test_the_settings_of_one_crm_are_unused_by_the_others() -> None:
    own = {name: {row.name for row in rows_of(crm.settings)} for name, crm in PROVIDERS.items() if crm.settings}
    assert own
    for name, names in own.items():
        assert not names & unused_by(PROVIDERS[name])
        assert all(names <= unused_by(crm) for crm in PROVIDERS.values() if crm.name != name)


def test_a_crm_names_only_common_settings_that_it_does_not_use() -> None:
    common = {row.name for row in rows_of(Settings)}
    assert {name for crm in PROVIDERS.values() for name in crm.unused} <= common


def test_secrets_are_those_of_the_credentials_and_of_the_inbox() -> None:
    secret = {"api_key", "access_token", "oauth", "inbox", "inbox_token", "inbox_signature_key", "journal"}
    assert {row.name for row in rows() if row.secret} == secret


@pytest.mark.parametrize(
    ("inbox", "hidden"),
    [
        ("output/inbox.sqlite", []),
        (
            "postgresql+psycopg://me:p%40ss@host/db",
            ["postgresql+psycopg://me:p%40ss@host/db", "p%40ss", "p@ss"],
        ),
    ],
)
def test_of_a_databases_address_the_password_is_hidden_and_of_a_path_nothing(inbox: str, hidden: list[str]) -> None:
    """A path may be a usual word, which would be missing in all lines."""
    assert sorted(secret_texts({"inbox": inbox})) == sorted(hidden)
    settings = Settings.from_config({"provider": "copper", "inbox": inbox}, PROVIDERS)
    assert sorted(settings.secrets) == sorted(hidden)


@pytest.mark.parametrize("given", [dict, json.dumps], ids=["object", "text"])
def test_of_an_oauth_app_its_secrets_are_hidden_and_not_the_path_of_its_file(given: Callable[[object], object]) -> None:
    """A message about the file would not say which one, and a short id would be missing in all lines."""
    oauth = {"client_id": "app", "client_secret": "s3cret", "refresh_token": "r3fresh", "token_file": "/var/close.json"}
    config = {"provider": "close", "oauth": given(oauth)}
    settings = Settings.from_config(config, PROVIDERS)
    hidden = {*secret_texts(config), *settings.secrets}
    assert {"s3cret", "r3fresh"} <= hidden
    assert not {"app", "/var/close.json"} & hidden


def test_what_should_be_text_and_is_not_is_hidden_as_a_whole() -> None:
    """Nobody knows what it is."""
    assert secret_texts({"oauth": {"token_file": ["s3cret"]}}) == ["s3cret"]
