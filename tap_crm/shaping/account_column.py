"""The column with the account's id: what keeps several accounts apart that are loaded into the same tables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from tap_crm.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_SCHEMA = {
    "type": ["string"],
    "description": "The CRM's id of the account that the row is of. Added by the tap, by `account_column`.",
}
_EMPTY = b"{}"


@dataclass(frozen=True, slots=True)
class AccountColumn:
    """The column, and the account of one run.

    Attributes:
        name: of the column.
        account: the CRM's id of the account.
    """

    name: str
    account: str

    def added_to(self, record: Mapping[str, Any]) -> dict[str, Any]:
        """Return a record with the column."""
        return {self.name: self.account, **record}

    def added_to_lines(self, lines: Sequence[bytes]) -> list[bytes]:
        """Return records that are JSON objects already with the column."""
        pair = msgspec.json.encode({self.name: self.account})[:-1]
        return [pair + (b"}" if line == _EMPTY else b"," + line[1:]) for line in lines]


def with_account(schema: Mapping[str, Any], column: str | None, stream: str) -> dict[str, Any]:
    """Return a stream's schema with the column, which comes first.

    Args:
        schema: without it.
        column: its name; None for none.
        stream: the stream's name.

    Raises:
        ConfigError: the stream has a property of that name.
    """
    if column is None:
        return dict(schema)
    taken = next((name for name in schema["properties"] if name.casefold() == column.casefold()), None)
    if taken is not None:
        raise ConfigError(
            f"the setting `account_column`: the stream `{stream}` has a field `{taken}` already; choose another name, "
            "such as `_account`"
        )
    return {**schema, "properties": {column: dict(_SCHEMA), **schema["properties"]}}


def keys_with_account(keys: Sequence[str], column: str | None) -> tuple[str, ...]:
    """Return a stream's primary key with the column, which comes first."""
    return tuple(keys) if column is None else (column, *keys)
