"""Media: SDP, RTP, jitter, playout and resampling, pure; ports, sessions and the clock on top."""
