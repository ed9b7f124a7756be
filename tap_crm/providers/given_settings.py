"""The settings of a command beside the tap: of the files and variables that its option ``--config`` names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tap_crm.config.config_input import ENVIRONMENT, converted, from_environment, from_files
from tap_crm.config.redaction import redact_logs
from tap_crm.config.schema import schema_of
from tap_crm.config.settings import Settings
from tap_crm.providers import PROVIDERS
from tap_crm.providers.setting_table import rows, secret_texts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def given_settings(configs: Sequence[str]) -> Settings:
    """Return the settings of files, and of variables where ``ENV`` is among them; variables go before files.

    Raises:
        ConfigError: one cannot be used.
    """
    given = from_files(path for path in configs if path != ENVIRONMENT)
    if ENVIRONMENT in configs:
        given |= from_environment(row.name for row in rows())[0]
    return checked(given)


def checked(given: Mapping[str, Any]) -> Settings:
    """Return settings that were given as an object.

    What is secret of them is hidden in all log lines from now on.

    Raises:
        ConfigError: one cannot be used.
    """
    redact_logs(secret_texts(given))
    settings = Settings.from_config(converted(given, schema_of(rows())), PROVIDERS)
    redact_logs(settings.secrets)
    return settings
