"""SIP: a pure protocol core (bytes and `now` in, bytes and events out) and its asyncio shell."""
