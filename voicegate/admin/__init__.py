"""Admin: the HTTP side for operators."""
