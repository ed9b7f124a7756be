"""The endpoints under `/_sandbox/` by which a test in another process commands a sandbox."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from sandbox.behaviour import configure
from sandbox.exchange import Answer, Record, Request, encoded

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.simulator import Simulator


def answer(app: Simulator, request: Request) -> Answer:
    """Carry out a command; 400 with `{"error": ...}` if it makes no sense."""
    try:
        return encoded(_carried_out(app, request))
    except LookupError as error:
        return encoded({"error": f"unknown: {error}"}, 404)
    except (ValueError, TypeError, msgspec.DecodeError) as error:
        return encoded({"error": str(error)}, 400)


def _carried_out(app: Simulator, request: Request) -> object:
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
    if verb == "revoke":
        app.revoke(order.get("key"), order.get("after", 0))
        return {}
    return {"ids": app.world.change(verb, order)}


def _truth(app: Simulator, name: str) -> object:
    if name:
        return app.world.records(name)
    with app.world.lock:
        names = app.world.objects()
        ids = {name: app.world.ids(name) for name in names}
    return {name: {"count": len(found), "ids": found} for name, found in ids.items()}


_READS: dict[str, Callable[[Simulator, str], object]] = {
    "truth": _truth,
    "stats": lambda app, _: app.stats.summary(app.behaviour.rate_window),
    "configure": lambda app, _: msgspec.to_builtins(app.behaviour),
}
