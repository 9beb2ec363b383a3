"""What an exported model is: the thin neck between training and serving. Knows nothing of torch or HTTP."""
