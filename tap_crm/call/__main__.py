"""Runs the command as ``python -m tap_crm.call``."""

from __future__ import annotations

from tap_crm.call.command import main

if __name__ == "__main__":
    main()
