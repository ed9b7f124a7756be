"""Tests of target-crm: nothing doubled, lost or overwritten, whatever dies."""
