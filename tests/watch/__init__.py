"""What `tap-crm-watch` asks, when it runs COMMAND, and how it ends."""

from __future__ import annotations
