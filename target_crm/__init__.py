"""A Singer target that writes back into the CRMs that ``tap_crm`` reads: nothing doubled, lost or overwritten."""
