"""What `tap-crm-report` says of loaded databases, states and journals, and how its page looks and behaves."""
