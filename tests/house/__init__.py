"""Checks of the house itself: its map, its import rules, its sizes and its pages. Knows nothing of models."""
