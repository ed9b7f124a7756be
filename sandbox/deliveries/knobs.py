"""How the deliveries of events go, and go wrong."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal


@dataclass(slots=True, kw_only=True)
class Events:
    """Deliveries to subscribed addresses; the same seed and the same changes make the same choices."""

    seed: int = 0
    loss: float = 0.0
    """Part of the deliveries that are never made."""
    delay: float = 0.0
    """Seconds until a delivery is made, at most."""
    delays: Literal["drawn", "same"] = "drawn"
    """`drawn`: each delivery has its own, so they overtake each other. `same`: all have the whole delay."""
    duplicates: float = 0.0
    """Part of the deliveries that are made twice."""
    wrong_signatures: float = 0.0
    """Part of the attempts whose proof is wrong: the signature, or where there is none, each header and secret."""
    stale: float = 0.0
    """Seconds by which the time of a signature is too old."""
    time_scale: float = 1.0
    """Seconds of delays, retries and limits that pass in a second; 0: they pass by the command `deliver` alone."""
    parallel: int = 4
    """Deliveries that are made at the same time, at most; read when the server starts."""
    timeout: float = 5.0
    """Seconds that an address has to answer, on this machine's clock."""
    hosts: list[str] = field(default_factory=list[str])
    """Host names besides this machine's own that may be called; nothing is delivered to any other."""
    proxies: dict[str, str] = field(default_factory=dict[str, str])
    """Beginnings of addresses, and where they lead to, as a reverse proxy would have it."""
