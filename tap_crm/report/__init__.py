"""The command ``tap-crm-report``: one page that says whether what was loaded is complete and fresh, and what to do."""
