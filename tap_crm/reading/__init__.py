"""How a stream is read completely: pure algorithms that know neither HTTP nor any CRM."""

from __future__ import annotations
