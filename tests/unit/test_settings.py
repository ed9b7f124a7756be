"""The config contract: each mistake is one line that names the setting, and no secret is ever shown."""
# ruff: noqa: ANN401 - values may be anything, that is the point

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_crm.config.kinds import parse_moment
from tap_crm.config.oauth_settings import OAuthSettings
from tap_crm.config.settings import Settings
from tap_crm.errors import ConfigError
from tap_crm.providers import PROVIDERS
from tap_crm.providers.close.settings import CloseSettings
from tap_crm.providers.setting_table import rows, users_of

NAMES = [row.name for row in rows()]
KEY = "3f1a9c77d2e84b06a5c0ffee12345678"
HUGE = 10**400
OAUTH = {"client_id": "app", "client_secret": KEY, "refresh_token": f"r{KEY}", "token_file": "my tokens.json"}


def settings_with(**changes: Any) -> Settings:
    """Return the settings of a good config with some changes."""
    return Settings.from_config({"provider": "copper", "api_key": KEY, **changes}, PROVIDERS)


def value_of(name: str, **changes: Any) -> Any:
    """Return what a setting is in a good config with some changes, with a CRM that has the setting."""
    settings = settings_with(**{"provider": users_of(name)[0].name, **changes})
    return getattr(settings if hasattr(settings, name) else settings.own, name)


def complaint(**changes: Any) -> str:
    """Return what the user is told about a bad config."""
    with pytest.raises(ConfigError) as caught:
        settings_with(**changes)
    return str(caught.value)


def test_nothing_given_is_the_default() -> None:
    """What `--about` says is true."""
    settings = settings_with()
    assert settings.start_date is None
    assert settings.requests_per_minute is None
    assert (settings.retry_seconds, settings.max_deletions_percent, settings.reconcile) == (600, 20, "auto")
    assert settings.activity_lookback == 86_400


@pytest.mark.parametrize("name", ["requests_per_minute", "overlap_seconds", "retry_seconds", "request_timeout_seconds"])
@pytest.mark.parametrize(("given_as", "count"), [(7, 7), ("7", 7), (7.0, 7), ("7.0", 7)])
def test_counts_may_come_as_text(name: str, given_as: Any, count: int) -> None:
    """Environment variables are text."""
    assert getattr(settings_with(**{name: given_as}), name) == count


@pytest.mark.parametrize("name", sorted({*NAMES} - {"provider", "api_key"}))
@pytest.mark.parametrize("nothing", [None, ""])
def test_an_empty_setting_is_the_default(name: str, nothing: Any) -> None:
    """An environment variable that is set to nothing sets nothing."""
    assert value_of(name, **{name: nothing}) == value_of(name)


def test_a_journal_is_a_path_that_messages_may_show_or_an_address_that_they_may_not() -> None:
    """An address holds a password."""
    path, address = "output/target-copper.sqlite", "postgresql+psycopg://me:p%21ssword@127.0.0.1/journal"
    assert settings_with(journal=f" {path} ").journal == path
    assert settings_with(journal=path).secrets == [KEY]
    assert set(settings_with(journal=address).secrets) == {KEY, address, "p%21ssword", "p!ssword"}
    said = complaint(journal="postgresql://me:p%21ssword@127.0.0.1/journal")
    assert "must be a file's path, or a URL that begins with postgresql+psycopg://" in said
    assert "ssword" not in said


def test_zero_is_an_answer() -> None:
    """It switches pacing off, and is not the default."""
    settings = settings_with(requests_per_minute=0, overlap_seconds=0, retry_seconds=0, activity_lookback_days=0)
    assert (settings.requests_per_minute, settings.overlap_seconds, settings.retry_seconds) == (0, 0, 0)
    assert settings.activity_lookback == 0


def test_a_look_back_may_be_part_of_a_day() -> None:
    """Six hours."""
    assert settings_with(activity_lookback_days="0.25").activity_lookback == 21_600


def test_credentials_are_taken_without_the_blanks_around_them() -> None:
    """Copied with a line end."""
    assert settings_with(api_key=f" {KEY}\n").api_key == KEY
    assert settings_with(api_key="  ").api_key is None


@pytest.mark.parametrize("provider", [None, "", "salesforce", 5, ["copper"]])
def test_the_provider_must_be_a_known_one(provider: Any) -> None:
    """The message lists them."""
    text = complaint(provider=provider)
    assert "`provider`" in text
    assert "copper, close" in text


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("api_key", 5),
        ("api_key", f"{KEY} {KEY}"),
        ("api_key", f"{KEY}\nX-Other: 1"),
        ("api_key", f"{KEY}\u2026"),
        ("api_key", f"{KEY}\x00"),
        ("user_email", ["a@example.com"]),
        ("user_email", "a b@example.com"),
        ("user_email", "å@example.com"),
        ("access_token", {"token": KEY}),
        ("access_token", f"{KEY}\u200b"),
        ("oauth", 5),
        ("oauth", KEY),
        ("oauth", f'["{KEY}"]'),
        ("oauth", {}),
        ("oauth", {**OAUTH, "client_secret": None}),
        ("oauth", {**OAUTH, "refresh_token": " "}),
        ("oauth.token_file", {**OAUTH, "token_file": ["t.json"]}),
        ("oauth.token_file", {**OAUTH, "token_file": "a\nb"}),
        ("oauth.refresh_token", {**OAUTH, "refresh_token": f"{KEY} {KEY}"}),
        ("oauth.client_secret", {**OAUTH, "client_secret": {"a": KEY}}),
        ("oauth.token_url", {**OAUTH, "token_url": f"https://me:{KEY}@crm.example/"}),
        ("oauth.token_url", {**OAUTH, "token_url": "crm.example/token"}),
        ("api_url", 5),
        ("api_url", "crm.example/v1"),
        ("api_url", "ftp://crm.example"),
        ("api_url", "https://"),
        ("api_url", "https://:8080/v1"),
        ("api_url", "https://[::1"),
        ("api_url", "https://crm.example:99999/v1"),
        ("api_url", "https://crm.example:port/v1"),
        ("api_url", f"https://me:{KEY}@crm.example/v1"),
        ("api_url", f"https://{KEY}@crm.example/v1"),
        ("api_url", f"https://crm.example/v1?key={KEY}"),
        ("api_url", f"https://crm.example/v1#{KEY}"),
        ("start_date", "yesterday"),
        ("start_date", "2026-02-30"),
        ("start_date", "1/31/2026"),
        ("start_date", True),
        ("requests_per_minute", -1),
        ("requests_per_minute", "many"),
        ("requests_per_minute", 1.5),
        ("requests_per_minute", True),
        ("requests_per_minute", HUGE),
        ("overlap_seconds", "5 minutes"),
        ("overlap_seconds", [300]),
        ("activity_lookback_days", "nan"),
        ("activity_lookback_days", "inf"),
        ("activity_lookback_days", -0.5),
        ("activity_lookback_days", 1e300),
        ("date_order", "ymd"),
        ("date_order", ["mdy"]),
        ("retry_seconds", {"seconds": 1}),
        ("retry_seconds", 1e300),
        ("request_timeout_seconds", HUGE),
    ],
)
def test_a_bad_value_is_one_line_that_names_the_setting(name: str, value: Any) -> None:
    """And never shows a secret, wherever it was put."""
    text = complaint(**{name.partition(".")[0]: value})
    assert f"`{name}`" in text
    assert "\n" not in text
    assert KEY not in text


@given(name=st.sampled_from(sorted(NAMES)), value=st.text() | st.integers() | st.floats() | st.none())
def test_any_value_at_all_is_taken_or_explained(name: str, value: Any) -> None:
    """Nothing else is raised."""
    try:
        settings_with(**{name: value})
    except ConfigError as error:
        assert f"`{name}`" in str(error)  # noqa: PT017 - both outcomes are fine


def test_the_settings_do_not_show_their_secrets() -> None:
    """Not in a debugger's or a log's words either."""
    shown = repr(settings_with(access_token="t0ken-t0ken"))
    assert KEY not in shown
    assert "t0ken" not in shown


@pytest.mark.parametrize(
    ("text", "epoch"),
    [
        ("2026-01-01", 1_767_225_600),
        ("2026-01-01T00:00:00", 1_767_225_600),
        ("2026-01-01T00:00:00Z", 1_767_225_600),
        ("2026-01-01T01:00:00+01:00", 1_767_225_600),
        ("2026-01-01T00:00:00.9Z", 1_767_225_600),
        ("1969-12-31T23:59:59.5Z", -1),
    ],
)
def test_a_start_is_in_utc_where_it_names_no_zone(text: str, epoch: int) -> None:
    """A fraction is cut downwards: nothing is left out."""
    assert parse_moment(text) == settings_with(start_date=text).start_date == epoch


@pytest.mark.parametrize(
    "url", ["https://api.copper.com/developer_api/v1", "http://127.0.0.1:9000/x", "https://[::1]/"]
)
def test_an_address_is_taken_as_it_is(url: str) -> None:
    """With its path."""
    assert settings_with(api_url=url).api_url == url


@pytest.mark.parametrize("as_text", [False, True])
def test_an_oauth_app_is_an_object_or_its_json(as_text: bool) -> None:
    """Environment variables are text; blanks around the parts are cut, those within a path are not."""
    told = {**OAUTH, "client_id": " app\n", "token_url": "https://crm.example/oauth2/token/"}
    settings = settings_with(provider="close", oauth=json.dumps(told) if as_text else told)
    oauth = settings.of(CloseSettings).oauth
    assert oauth == OAuthSettings(**OAUTH, token_url="https://crm.example/oauth2/token/")
    assert KEY not in repr(oauth)


def test_an_oauth_app_that_lacks_something_is_told_what() -> None:
    """All of it in one line."""
    text = complaint(oauth={"client_id": "app", "token_file": "t.json"})
    assert text == "the setting `oauth` lacks `client_secret`, `refresh_token`"


def test_all_secrets_are_known_to_whoever_hides_them() -> None:
    """Those of an OAuth app as well."""
    settings = settings_with(provider="close", access_token="t0ken-t0ken", oauth=OAUTH)
    assert settings.secrets == [KEY, "t0ken-t0ken", KEY, f"r{KEY}"]
    assert settings_with(api_key=None).secrets == []
