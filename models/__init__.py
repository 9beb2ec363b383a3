"""The nets, in PyTorch, and how they are trained and judged. Knows nothing of serving."""
