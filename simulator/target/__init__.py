"""What a scenario is pointed at: a gateway in this process, in one of its own, or elsewhere."""
