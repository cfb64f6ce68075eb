"""The SIP gate: its callers, its wire, its strict judgement of what comes back."""

from .called import AnsweredCall
from .caller import SimulatedCall
from .dialog import CallState
from .gate import SimulatedGate
from .judge import Violation
from .party import CallRefused, NoAnswer
from .registrar import Binding, Registrar
from .registration import Registration, RegistrationRefused
from .transfer import Transfer, TransferPlan
from .wire import Address

__all__ = [
    "SimulatedGate",
    "SimulatedCall",
    "AnsweredCall",
    "CallState",
    "CallRefused",
    "NoAnswer",
    "Registration",
    "RegistrationRefused",
    "Registrar",
    "Binding",
    "Transfer",
    "TransferPlan",
    "Violation",
    "Address",
]
