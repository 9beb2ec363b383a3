"""Tests of the maps: labels, offsets, alignments and drawings. Knows nothing of models or engines."""
