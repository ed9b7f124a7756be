"""Runs the command as ``python -m tap_crm.inbox``."""

from __future__ import annotations

from tap_crm.inbox.command import main

if __name__ == "__main__":
    main()
