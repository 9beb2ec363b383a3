"""Checkpoint to bundle: graphs, quantisation, parity, toys. Knows nothing of HTTP or of training."""
