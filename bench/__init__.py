"""How fast: measured, never asserted. Knows nothing of training or of the service's insides beyond the engine."""
