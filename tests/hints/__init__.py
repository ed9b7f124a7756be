"""Events of the CRMs: what the tap makes of them, for each CRM that tells of single records."""
