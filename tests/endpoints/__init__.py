"""Streams that users declare, and the command that asks for one answer."""
