"""The engine: in-flight batching of encode-then-step models. Knows nothing of HTTP, tasks or words."""
