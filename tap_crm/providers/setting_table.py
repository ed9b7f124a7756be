"""The whole table of settings: the common ones and those that a CRM has of its own; and which CRM uses which."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tap_crm.config.redaction import texts_in
from tap_crm.config.setting import rows_of
from tap_crm.config.settings import AccountSettings, Settings
from tap_crm.providers import PROVIDERS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tap_crm.config.setting import Setting
    from tap_crm.contract.stream import Provider


def rows(*names: str, of: type[AccountSettings] = Settings) -> tuple[Setting, ...]:
    """Return rows of the table.

    Args:
        names: of the settings that are wanted, in this order; without any, the whole table.
        of: the class that declares the common settings of a command; those of the tap, if none is named.

    Raises:
        KeyError: there is no setting of a name.
    """
    table = _table(of)
    return tuple(table[name] for name in names or table)


def secret_texts(config: Mapping[str, Any]) -> list[str]:
    """Return what no log line may show of a config, in whatever form it was given."""
    secret = [row for row in rows() if row.secret]
    texts = [(row, text) for row in secret for text in texts_in(config.get(row.name), row.kind.shown)]
    return [part for row, text in texts for part in row.kind.hidden(text)]


def unused_by(provider: Provider) -> frozenset[str]:
    """Return the names of the settings that change nothing with a CRM, those of the other CRMs among them."""
    others = (group for name, group in PROVIDERS.settings().items() if name != provider.name)
    return provider.unused.union(*(_names(group) for group in others)) - _names(provider.settings)


def users_of(name: str) -> list[Provider]:
    """Return the CRMs that use a setting."""
    return [provider for provider in PROVIDERS.values() if name not in unused_by(provider)]


def _names(group: type | None) -> frozenset[str]:
    return frozenset(row.name for row in rows_of(group)) if group is not None else frozenset()


def _table(common: type[AccountSettings]) -> dict[str, Setting]:
    table: dict[str, Setting] = {}
    for row in (row for group in (AccountSettings, *PROVIDERS.settings().values(), common) for row in rows_of(group)):
        if row.name in table and table[row.name] != row:
            raise ValueError(f"the setting `{row.name}` is declared twice, and not alike")
        table[row.name] = row
    table["provider"] = _with_crms(table["provider"])
    return table


def _with_crms(row: Setting) -> Setting:
    """Return the row of the setting that chooses a CRM, with the CRMs that there are."""
    *names, last = (f"`{name}`" for name in PROVIDERS)
    return replace(row, text=row.text.format(crms=f"{', '.join(names)} or {last}"), options=PROVIDERS.titles())
