"""The web service. Never imports torch or onnx."""
