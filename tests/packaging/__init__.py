"""The wheel, as it would be published."""
