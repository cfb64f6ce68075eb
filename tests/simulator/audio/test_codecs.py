"""Which coder a call uses for a name."""

import pytest

from simulator.audio.codecs import Coders
from simulator.audio.g711 import PCMA, PCMU
from simulator.audio.g722 import INSTALLED


def test_the_laws_are_shared_and_a_codec_that_remembers_belongs_to_its_call() -> None:
    coders = Coders()
    assert (coders.of("PCMU"), coders.of("PCMA")) == (PCMU, PCMA)
    with pytest.raises(KeyError):
        coders.of("OPUS")


@pytest.mark.skipif(not INSTALLED, reason="the package G722 is not installed")
def test_one_call_has_one_memory() -> None:
    one = Coders()
    assert one.of("G722") is one.of("G722")
    assert one.of("G722") is not Coders().of("G722")
