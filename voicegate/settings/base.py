"""What all sections share: they are frozen, refuse what they do not know, and check addresses."""

import ipaddress
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field


def _network(text: str) -> str:
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError as error:
        raise ValueError(f"{text!r} is no address or network such as 192.168.1.10/32") from error
    return text


def _bind_address(text: str) -> str:
    try:
        ipaddress.ip_address(text)
    except ValueError as error:
        raise ValueError(f"{text!r} is no IP address; 0.0.0.0 listens on all") from error
    return text


def _path(text: str) -> str:
    if any(sign < " " for sign in text):
        raise ValueError(f"{text!r} is no path: write it in single quotes, or with / for \\")
    return text


class Section(BaseModel):
    """One table of the configuration; the docstring under a key is its description."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


Port = Annotated[int, Field(ge=0, le=65535)]
PathText = Annotated[str, AfterValidator(_path)]
Network = Annotated[str, AfterValidator(_network)]
BindAddress = Annotated[str, AfterValidator(_bind_address)]
