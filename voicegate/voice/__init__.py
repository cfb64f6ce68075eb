"""Voice: the conversation a caller has, whoever speaks at the other end."""
