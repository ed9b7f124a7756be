"""Measures what a run costs beside another commit, other tools and the floor, and writes docs/speed.md of it."""
