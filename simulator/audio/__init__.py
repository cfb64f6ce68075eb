"""Audio truth: sounds that prove whose they are, and the ears that judge what arrived."""

from simulator.audio.pcm import Pcm

__all__ = ["Pcm"]
