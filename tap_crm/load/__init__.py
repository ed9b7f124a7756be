"""The command ``load-account``: loads one account once, with a lock and a state that outlast the machine."""

from __future__ import annotations
