"""A small account with custom fields, and a tap that makes columns of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

from sandbox.server import running
from tests.contract.conftest import tap_for
from tests.contract.crms import CRMS

if TYPE_CHECKING:
    from contextlib import ExitStack
    from pathlib import Path

    from tests.contract.custom import Custom
    from tests.singer import Tap

#: From what changes the account's shape, and knobs, to a server and a tap.
Begin: TypeAlias = Callable[..., tuple[Any, "Tap"]]


def tap_of(custom: Custom, url: str, folder: Path) -> Tap:
    """Return a tap with the default form of custom fields."""
    return tap_for(CRMS[custom.crm], url, folder, custom_fields="columns")


def begun(custom: Custom, folder: Path, stack: ExitStack) -> Begin:
    """Return a function that serves an account until the stack ends."""

    def begin(shape: dict[str, Any] | None = None, **knobs: Any) -> tuple[Any, Tap]:  # noqa: ANN401
        app = custom.app(shape, **knobs)
        return app, tap_of(custom, stack.enter_context(running(app)), folder)

    return begin
