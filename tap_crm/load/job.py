"""What one load is: whose, of which streams, until when, and which variables each process sees."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tap_crm.load.processes import Limits

OURS = "LOAD_ACCOUNT_"


@dataclass(frozen=True, slots=True)
class Job:
    """One load of one account.

    Attributes:
        account: its name.
        schema: into which schema of the database it is loaded; None for whatever the target is set to.
        select: rules that say which streams are read, as Meltano writes them; none for all.
        limits: when it has to end.
        tap_environment: the tap's variables: none of the target's, which hold the warehouse's password.
        target_environment: the target's variables: none of the tap's, which hold the CRM's key.
    """

    account: str
    schema: str | None
    select: tuple[str, ...]
    limits: Limits
    tap_environment: Mapping[str, str]
    target_environment: Mapping[str, str]


def prefix_of(program: str) -> str:
    """Return what the variables of a plugin's settings begin with."""
    return f"{PurePath(program).name.upper().replace('-', '_')}_"


def without(environment: Mapping[str, str], *prefixes: str) -> dict[str, str]:
    """Return variables less those that begin with one of some prefixes."""
    return {name: value for name, value in environment.items() if not name.startswith(prefixes)}
