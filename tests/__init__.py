"""The specification of the tap."""
