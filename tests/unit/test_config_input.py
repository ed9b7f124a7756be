"""Settings as people give them: any way, any form, and a mistake is one line without a value."""
# ruff: noqa: ANN401, D103 - values may be anything, that is the point; the name of a test is its sentence

from __future__ import annotations

import json
import logging
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pytest

from tap_crm.config.config_input import converted, from_environment, from_files, unknown_names, without_effect
from tap_crm.config.json_files import read_json_object
from tap_crm.config.kinds import text
from tap_crm.config.setting import setting
from tap_crm.config.settings import Settings
from tap_crm.errors import ConfigError
from tap_crm.providers import PROVIDERS
from tap_crm.providers.setting_table import unused_by
from tap_crm.singer.command_line import CommandLine
from tap_crm.singer.tap import TapCRM

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

CommandLine.append_builtin_config(TapCRM.config_jsonschema)
SCHEMA = TapCRM.config_jsonschema
OAUTH = {"client_id": "app", "client_secret": "s3cret-s3cret", "refresh_token": "r3fresh-token", "token_file": "t.json"}
#: A value of each setting that is not its default.
VALUES: dict[str, Any] = {
    "provider": "close",
    "api_key": "k3y-k3y-k3y",
    "user_email": "you@example.com",
    "access_token": "t0ken-t0ken",
    "oauth": OAUTH,
    "api_url": "http://127.0.0.1:9000/v1",
    "start_date": "2026-01-01T00:00:00Z",
    "requests_per_minute": 0,
    "rate_limit_percent": 62.5,
    "overlap_seconds": 12,
    "activity_lookback_days": 0.5,
    "reconcile": True,
    "reconcile_days": 0.25,
    "reconcile_max_requests": 77,
    "max_run_minutes": 90,
    "max_run_requests": 5_000,
    "max_deletions_percent": 100,
    "max_unexplained_percent": 2.5,
    "date_order": "dmy",
    "custom_fields": "both",
    "custom_field_names": "id",
    "free_objects": "text",
    "nested_values": "text",
    "missing_properties": "null",
    "activate_versions": False,
    "account_column": "_account",
    "tables": [{"board": "Sales", "table": "Deals", "stream": "deals"}],
    "endpoints": [{"stream": "deals_again", "path": "/deals", "keys": ["id"]}],
    "child_tables": ["emails", "people.tags"],
    "journal": "output/target-close.sqlite",
    "inbox": "output/inbox.sqlite",
    "inbox_token": "t0ken-" * 6,
    "inbox_signature_key": "s1gnature-key",
    "inbox_keep_days": 2.5,
    "inbox_keep_megabytes": 64,
    "retry_seconds": 5,
    "request_timeout_seconds": 9,
    "stream_maps": {"people": {"__filter__": "False"}},
    "stream_map_config": {"seed": "abc"},
    "faker_config": {"seed": 7.5},
    "flattening_enabled": True,
    "flattening_max_depth": 2,
    "flattening_max_key_length": 60,
    "flattening_separator": "__",
    "batch_config": {"encoding": {"format": "jsonl"}, "storage": {"root": "file:///tmp"}},
}


def as_text(value: Any) -> str:
    """Return a value as a variable of the environment has it."""
    return value if isinstance(value, str) else json.dumps(value)


@pytest.fixture
def from_variables(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., dict[str, Any]]:
    """Return the config that variables give."""
    monkeypatch.chdir(tmp_path)

    def read(**texts: str) -> dict[str, Any]:
        for name, given in texts.items():
            monkeypatch.setenv(f"TAP_CRM_{name.upper()}", given)
        return converted(from_environment(SCHEMA["properties"])[0], SCHEMA)

    return read


def test_each_setting_is_tried() -> None:
    assert VALUES.keys() == SCHEMA["properties"].keys()


@pytest.mark.parametrize("name", VALUES)
def test_a_variable_gives_what_a_file_gives(name: str, from_variables: Callable[..., dict[str, Any]]) -> None:
    given = from_variables(**{name: as_text(VALUES[name])})[name]
    assert (str(given).lower() if name == "reconcile" else given) == ("true" if name == "reconcile" else VALUES[name])


@pytest.mark.parametrize("name", VALUES)
def test_a_text_in_a_file_gives_what_the_value_gives(name: str, tmp_path: Path) -> None:
    """Such as a tool writes that knows no types."""
    file = tmp_path / "config.json"
    file.write_text(json.dumps({**VALUES, name: as_text(VALUES[name])}))
    given = converted(read_json_object(str(file), "--config"), SCHEMA)
    assert Settings.from_config(given, PROVIDERS) == Settings.from_config(VALUES, PROVIDERS)
    assert {one: given[one] for one in given if one != "reconcile"} == {
        one: VALUES[one] for one in VALUES if one != "reconcile"
    }


@pytest.mark.parametrize("name", VALUES)
@pytest.mark.parametrize("nothing", ["", "  ", None])
def test_nothing_is_the_default(name: str, nothing: str | None) -> None:
    assert converted({name: nothing}, SCHEMA) == {}


def test_an_empty_variable_is_the_default(from_variables: Callable[..., dict[str, Any]]) -> None:
    assert from_variables(retry_seconds="", reconcile="", tables="", flattening_enabled="") == {}


@pytest.mark.parametrize(
    ("text", "value"), [("true", True), ("1", True), ("Yes", True), ("FALSE", False), ("0", False)]
)
def test_a_switch_may_be_said_in_several_words(text: str, value: bool) -> None:
    assert converted({"flattening_enabled": text}, SCHEMA) == {"flattening_enabled": value}


def test_the_environment_goes_before_a_file_of_variables(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, from_variables: Callable[..., dict[str, Any]]
) -> None:
    (tmp_path / ".env").write_text("TAP_CRM_RETRY_SECONDS=1\nTAP_CRM_OVERLAP_SECONDS=2\n")
    monkeypatch.chdir(tmp_path)
    assert from_variables(retry_seconds="3") == {"retry_seconds": 3, "overlap_seconds": 2}


@pytest.mark.parametrize(
    ("name", "value", "wanted"),
    [
        ("flattening_enabled", "maybe", "must be true or false"),
        ("flattening_max_depth", "deep", "must be a whole number"),
        ("stream_maps", "people", "must be an object"),
        ("stream_maps", {"__else__": "drop"}, "has a form"),
        ("batch_config", {"encoding": {"format": "csv"}}, "`batch_config.encoding.format` must be one of"),
        ("flattening_separator", 5, "must be text"),
        ("requests_per_minute", "many", "must be a number"),
    ],
)
def test_a_value_of_the_wrong_form_is_one_line_that_names_the_setting(name: str, value: Any, wanted: str) -> None:
    with pytest.raises(ConfigError) as caught:
        TapCRM(config={"provider": "copper", "api_key": "k", "user_email": "u@example.com", name: value})
    assert f"`{name}" in str(caught.value)
    assert wanted in str(caught.value)
    assert "\n" not in str(caught.value)


SECRET = "S3CR3T-d0-n0t-sh0w"


@pytest.mark.parametrize(
    "secret",
    [
        pytest.param({"api_key": [SECRET]}, id="a key in a list"),
        pytest.param({"api_key": {"key": SECRET}}, id="a key in an object"),
        pytest.param({"api_key": 918273645546372}, id="a number"),
        pytest.param({"access_token": [[SECRET]]}, id="a token in lists"),
        pytest.param({"oauth": SECRET}, id="oauth as text"),
        pytest.param({"oauth": [SECRET]}, id="oauth as a list"),
        pytest.param({"oauth": {**OAUTH, "client_secret": {"v": SECRET}}}, id="a client secret in an object"),
        pytest.param({"oauth": {**OAUTH, "refresh_token": 918273645546372}}, id="a refresh token that is a number"),
        pytest.param({"oauth": {**OAUTH, "token_file": [SECRET]}}, id="a token file in a list"),
        pytest.param({"api_key": [SECRET], "provider": 5}, id="beside another mistake"),
        pytest.param({"api_kye": "x", "api_key": [SECRET]}, id="beside a wrong name"),
    ],
)
def test_no_value_of_a_secret_setting_is_shown_whatever_is_wrong_with_it(
    secret: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with pytest.raises(ConfigError) as caught:
        TapCRM(config={"provider": "close", **secret})
    said = f"{caught.value} {caplog.text}"
    assert "S3CR3T" not in said
    assert "918273645546372" not in said


@pytest.mark.parametrize(
    ("config", "remark"),
    [
        ({"recncile": True}, "the setting `recncile` does not exist and is ignored; did you mean `reconcile`?"),
        ({"frobnicate": 1}, "the setting `frobnicate` does not exist and is ignored"),
        (
            {"oauth": {"refresh_tokn": 1}},
            "the setting `oauth.refresh_tokn` does not exist and is ignored; did you mean ",
        ),
        (
            {"batch_config": {"encodng": {}}},
            "the setting `batch_config.encodng` does not exist and is ignored; did you",
        ),
        ({"tables": [{"bord": "x"}]}, "the setting `tables.bord` does not exist and is ignored; did you mean `tables."),
    ],
)
def test_a_setting_that_does_not_exist_is_said_with_the_nearest_name(config: dict[str, Any], remark: str) -> None:
    (said,) = unknown_names(config, SCHEMA)
    assert said.startswith(remark)


def test_nothing_is_said_of_settings_that_exist() -> None:
    assert unknown_names(VALUES, SCHEMA) == []


def test_a_variable_that_is_no_setting_is_said_with_the_nearest_name(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("TAP_CRM_RECNCILE", "TAP_CRM_LOGLEVEL", "TAP_CRM__SELECT", "TAP_CRM_AUDIT_DATABASE"):
        monkeypatch.setenv(name, "true")
    assert from_environment(SCHEMA["properties"])[1] == [
        "the variable `TAP_CRM_RECNCILE` is no setting of this tap; did you mean `TAP_CRM_RECONCILE`?"
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class TenantSettings:
    """What a CRM that is registered later has of its own."""

    tenant: str | None = setting(text(), "Tenant", "The account's name in its address.")


def test_a_crm_that_is_registered_later_brings_its_settings(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(TapCRM, "config_jsonschema", deepcopy(SCHEMA))
    monkeypatch.setitem(
        PROVIDERS,
        "other",
        replace(PROVIDERS["copera"], name="other", settings=TenantSettings, streams=(), discover=None),
    )
    tap = TapCRM(config={"provider": "other", "tenant": "ours", "api_key": "cp_pat_key"})
    assert tap.settings.of(TenantSettings).tenant == "ours"
    assert "does not exist" not in caplog.text


@pytest.mark.parametrize("crm", PROVIDERS)
def test_every_setting_that_a_crm_does_not_use_is_said(crm: str) -> None:
    provider = PROVIDERS[crm]
    said = without_effect({**VALUES, "provider": crm}, SCHEMA, unused_by(provider), provider.title)
    assert {remark.split("`")[1] for remark in said} == unused_by(provider)
    assert unused_by(provider) < SCHEMA["properties"].keys()


@pytest.mark.parametrize("crm", PROVIDERS)
def test_nothing_is_said_of_defaults(crm: str) -> None:
    """Meltano hands all of them over, whatever the CRM is."""
    defaults = {name: part["default"] for name, part in SCHEMA["properties"].items() if "default" in part}
    assert without_effect(defaults, SCHEMA, unused_by(PROVIDERS[crm]), crm) == []


def test_a_number_with_a_fraction_in_an_endpoint_of_a_file_is_a_number(tmp_path: Path) -> None:
    endpoint = {"stream": "cheap", "path": "/deals", "keys": ["id"], "query": {"most": 1.5}}
    file = tmp_path / "config.json"
    file.write_text(json.dumps({"provider": "copper", "endpoints": [endpoint]}))
    (found,) = Settings.from_config(from_files([str(file)]), PROVIDERS).endpoints
    assert found.query == {"most": 1.5}
    assert isinstance(found.query["most"], float)


def test_a_later_file_goes_before_an_earlier_one(tmp_path: Path) -> None:
    for name, content in (("a", {"provider": "copper", "api_key": "1"}), ("b", {"api_key": "2"})):
        (tmp_path / name).write_text(json.dumps(content))
    assert from_files(str(tmp_path / name) for name in "ab") == {"provider": "copper", "api_key": "2"}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
def test_a_file_may_be_written_by_any_editor(encoding: str, tmp_path: Path) -> None:
    file = tmp_path / "config.json"
    file.write_bytes('{"provider": "copper", "user_email": "ä"}'.encode(encoding))
    assert read_json_object(str(file), "--config") == {"provider": "copper", "user_email": "ä"}


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is empty"),
        (b" \n", "is empty"),
        (b"null", "is no JSON object"),
        (b"[1]", "is no JSON object"),
        (b'"text"', "is no JSON object"),
        (b'{"api_key": "S3CR3T",', "is no JSON object: line 1"),
        (b'{"api_key": "S3CR3T\xff"}', "is no JSON object: its characters are not UTF-8"),
        (b"[" * 100_000, "is no JSON object: it is nested too deeply"),
        (b'{"n": ' + b"1" * 5_000 + b"}", "is no JSON object: it holds a number that is too long"),
    ],
)
def test_a_file_of_another_form_is_said_in_one_line(content: bytes, reason: str, tmp_path: Path) -> None:
    file = tmp_path / "config.json"
    file.write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        read_json_object(str(file), "--config")
    assert str(caught.value).startswith(f"`--config`: {file} {reason}")
    assert "S3CR3T" not in str(caught.value)


@pytest.mark.parametrize("path", ["", "no-such-file.json", "/", "a\0b"])
def test_a_path_that_leads_nowhere_is_said_in_one_line(path: str) -> None:
    with pytest.raises(ConfigError, match="`--config`: "):
        read_json_object(path, "--config")
