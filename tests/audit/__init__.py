"""What `tap-crm-audit` finds in a loaded database, and what it says where it cannot look."""
