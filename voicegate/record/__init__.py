"""What is kept of a call, off the path of its sound."""
