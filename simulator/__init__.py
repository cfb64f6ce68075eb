"""The whole outside world: the gate with its callers, the network, the Gemini Live service."""
