"""The routes that create, change and delete records: none yet, so a request for one is answered 404."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sandbox.copper.service import Handler
    from sandbox.routes import Route

ROUTES: tuple[Route[Handler], ...] = ()
