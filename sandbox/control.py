"""The endpoints under `/_sandbox/` by which a test in another process commands a sandbox."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import msgspec

from sandbox.behaviour import CommonBehaviour, configure
from sandbox.exchange import Answer, Record, Request, encoded

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.account import Account
    from sandbox.deliveries.deliveries import Deliveries
    from sandbox.stats import Stats


class Commanded(Protocol):
    """The parts of a sandbox that can be commanded."""

    account: Account
    behaviour: CommonBehaviour
    stats: Stats
    deliveries: Deliveries

    def forget_limits(self) -> None:
        """Admit as if nothing had been asked yet."""
        ...

    def revoke(self, key: str | None = None, after: int = 0) -> None:
        """Let one key or token (or every one) answer 401 after so many more answers."""
        ...


def answer(app: Commanded, request: Request) -> Answer:
    """Carry out a command; 400 with `{"error": ...}` for one that cannot be carried out."""
    try:
        return encoded(_carried_out(app, request))
    except LookupError as error:
        return encoded({"error": f"unknown: {error}"}, 404)
    except (ValueError, TypeError, msgspec.DecodeError) as error:
        return encoded({"error": str(error)}, 400)


def _carried_out(app: Commanded, request: Request) -> object:
    verb, _, rest = request.path.partition("/")
    if request.method == "GET":
        return _READS[verb](app, rest)
    order: Record = msgspec.json.decode(request.body or b"{}", type=dict)
    if verb == "configure":
        configure(app.behaviour, order)
        return msgspec.to_builtins(app.behaviour)
    if verb == "reset_stats":
        app.stats.reset()
        app.forget_limits()
        return {}
    if verb == "deliver":
        app.deliveries.advance(order.get("seconds", 0.0))
        return app.deliveries.summary()
    if verb == "revoke":
        app.revoke(order.get("key"), order.get("after", 0))
        return {}
    return {"ids": app.account.change(verb, order)}


def _truth(app: Commanded, name: str) -> object:
    if name:
        return app.account.records(name)
    with app.account.lock:
        names = app.account.objects()
        ids = {name: app.account.ids(name) for name in names}
    return {name: {"count": len(found), "ids": found} for name, found in ids.items()}


_READS: dict[str, Callable[[Commanded, str], object]] = {
    "deliveries": lambda app, _: app.deliveries.summary(),
    "truth": _truth,
    "stats": lambda app, _: app.stats.summary(app.behaviour.rate_window),
    "configure": lambda app, _: msgspec.to_builtins(app.behaviour),
}
