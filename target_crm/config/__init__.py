"""The settings of the target."""
