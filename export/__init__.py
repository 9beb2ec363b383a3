"""Checkpoint to bundle: graphs, quantisation, parity, toys. Knows nothing of HTTP or of training."""

import os

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # onnxruntime reads it when it is imported
