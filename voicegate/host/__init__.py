"""What the host owes the gateway: the service that starts it, its settings file, its checks."""
