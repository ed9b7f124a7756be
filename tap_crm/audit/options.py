"""The option by which commands are told of a loaded database."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Callable


def database_option(*, required: bool) -> Callable[[Any], Any]:
    """Return the option `--database`, which gives the parameter ``address``.

    Args:
        required: the command cannot do without.
    """
    return click.option(
        "--database",
        "address",
        required=required,
        metavar="URL",
        envvar="TAP_CRM_AUDIT_DATABASE",
        show_envvar=True,
        help="What was loaded: postgresql://user:password@host/database, duckdb:///path, or a path that ends in "
        ".duckdb. It is only read.",
    )
