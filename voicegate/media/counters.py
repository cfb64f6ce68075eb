"""What a call's media has seen so far."""

from dataclasses import dataclass


@dataclass(slots=True)
class JitterCounters:
    """What became of the packets."""

    received: int = 0
    """Packets of the streams, each once."""
    expected: int = 0
    """Packets the sequence numbers account for."""
    late: int = 0
    """Packets dropped, since their time had passed."""
    duplicates: int = 0
    """Packets dropped, since they had come before."""
    reordered: int = 0
    """Packets that came after a younger one."""
    concealed: int = 0
    """Frames made up in part or in whole."""
    overflow_ms: float = 0.0
    """Audio skipped because more was waiting than the depth allows."""
    streams: int = 0
    """Streams begun: the first, and one more for each change of source or jump of time."""

    @property
    def lost(self) -> int:
        """Packets that never came."""
        return max(0, self.expected - self.received)


@dataclass(frozen=True)
class MediaCounters:
    """A snapshot; every figure counts from the opening of the media."""

    packets_in: int
    """Datagrams from the negotiated address."""
    packets_out: int
    """RTP packets sent."""
    early: int
    """Datagrams from the negotiated address before the answer: dropped."""
    foreign: int
    """Datagrams from any other address or port: dropped."""
    moves: int
    """How often the caller went on from another port of its host, and we followed."""
    malformed: int
    """Datagrams that are no RTP, or no packet a voice can have: dropped."""
    unexpected: int
    """Packets of a payload type not agreed on, RTCP among them: dropped."""
    strays: int
    """Packets of another source, or far out of sequence, never confirmed: dropped."""
    lost: int
    """Packets that never came."""
    jitter_ms: float
    """The interarrival jitter of RFC 3550 6.4.1 at the end."""
    max_gap_ms: float
    """The longest time in which no packet came."""
    late: int
    """Packets that came after their time: dropped."""
    duplicates: int
    """Packets that came twice: dropped."""
    concealed: int
    """Frames made up, in part or in whole, for what was missing."""
    jitter_overflow_ms: float
    """Caller audio skipped, since a burst was longer than the jitter buffer may hold."""
    uplink_dropped: int
    """Frames dropped, since nobody took them in time."""
    playout_overflow_ms: float
    """Model audio refused, since too much was queued."""
    send_blocked: int
    """Packets not sent, since the system's send buffer was full."""
    ticks_late: int
    """Deadlines of the clock met more than 5 ms late while this call was up."""
    digits: int
    """Digits keyed."""
    udp_errors: int
    """Errors of the socket (ICMP port unreachable and the like): survived."""
    reopened: int
    """How often the socket had gone deaf after an error, and another took its place."""
    rtcp_in: int
    """RTCP datagrams from the caller's host."""
    rtcp_out: int
    """RTCP datagrams sent."""
    rtcp_dropped: int
    """Datagrams at the RTCP port from another host, or that are no RTCP."""
    rtcp_errors: int
    """Errors of the RTCP socket: most callers listen to none."""
    far_lost: int
    """Packets of ours that never came, by the caller's last report; 0 where there is none."""
    far_jitter_ms: float
    """Jitter of our stream where it arrives, by the caller's last report; 0 without one."""
    round_trip_ms: float
    """To the caller and back, as last measured; 0 where the caller sends no reports."""
