"""``python -m tap_crm.report``: the same as the command ``tap-crm-report``."""

from __future__ import annotations

from tap_crm.report.command import main

main()
