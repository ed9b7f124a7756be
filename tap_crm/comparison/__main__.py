"""``python -m tap_crm.comparison``: the same as the command ``tap-crm-audit``."""

from __future__ import annotations

from tap_crm.comparison.command import main

main()
