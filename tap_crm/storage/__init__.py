"""How a program of ours keeps something of its own: a SQLite file or a PostgreSQL database."""

from __future__ import annotations
