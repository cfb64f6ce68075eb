"""The evidence of a run: what happened in its calls, and the files that show it."""
