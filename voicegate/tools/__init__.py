"""Tools: what the model may call while it talks."""
