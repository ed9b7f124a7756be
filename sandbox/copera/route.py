"""Routes: the form of their paths, and what they take."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from sandbox.copera.parameters import CheckedRequest, Parameter
    from sandbox.copera.service import Service
    from sandbox.exchange import Answer

Handler: TypeAlias = Callable[["Service", "CheckedRequest"], "Answer"]


@dataclass(frozen=True, slots=True)
class Route:
    """A path with names for its parts, the area that tokens reach or not, and the parameters it takes."""

    area: str
    template: str
    handler: Handler
    parameters: dict[str, Parameter] = field(default_factory=dict)
    listing: bool = False
    method: str = "GET"
    slash: bool = False
    """Whether a slash at the end is taken, too."""
    write: bool = False
    """Whether it creates, changes or deletes something."""
    pattern: re.Pattern[str] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "pattern", re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", self.template)))

    @property
    def name(self) -> str:
        """What its limit is known by: the path, for writes with the method before it."""
        return f"{self.method} {self.template}" if self.write else self.template
