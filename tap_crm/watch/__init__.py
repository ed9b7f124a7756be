"""The command ``tap-crm-watch``: asks cheaply whether something changed, and runs a command when it did."""

from __future__ import annotations
