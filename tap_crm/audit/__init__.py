"""The command ``tap-crm-audit``: compares what was loaded into a database with what the CRM has."""
