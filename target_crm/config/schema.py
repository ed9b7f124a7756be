"""The target's config as a JSON schema: the connection's settings are the tap's own, the others are declared here."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tap_crm.config.schema import schema_of
from tap_crm.config.setting import rows_of
from tap_crm.providers.setting_table import rows
from target_crm.config.settings import CONNECTION, TargetSettings

if TYPE_CHECKING:
    from tap_crm.config.setting import Setting


def target_rows(*names: str) -> tuple[Setting, ...]:
    """Return the rows of the target's settings, in their order.

    Args:
        names: of the CRMs that can be written; all that can be read, if none is named.
    """
    provider, *others = rows(*CONNECTION)
    options = {name: title for name, title in provider.options.items() if not names or name in names}
    said = provider.text.replace("is read", "is written to")
    return (replace(provider, text=said, options=options), *others, *rows_of(TargetSettings))


def target_schema() -> dict[str, Any]:
    """Return the JSON schema of the target's config."""
    return schema_of(target_rows())
