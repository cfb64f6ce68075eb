"""The commands of `gatesim`, one file each, and what they share."""
