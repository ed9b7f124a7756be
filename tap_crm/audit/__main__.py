"""``python -m tap_crm.audit``: the same as the command ``tap-crm-audit``."""

from __future__ import annotations

from tap_crm.audit.command import main

main()
