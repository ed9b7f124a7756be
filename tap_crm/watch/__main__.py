"""Runs the command as ``python -m tap_crm.watch``."""

from __future__ import annotations

from tap_crm.watch.command import main

if __name__ == "__main__":
    main()
