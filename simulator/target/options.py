"""The options and markers of the pytest plugin: names of the contract."""

from typing import Any

OPTIONS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("--clock", {"choices": ("virtual", "real"), "default": None}),
    ("--gateway", {"metavar": "sip:HOST:PORT", "default": ""}),
    ("--gate", {"metavar": "sip:USER@HOST", "default": ""}),
    ("--dial", {"metavar": "NUMBER", "default": ""}),
    ("--gemini-listen", {"metavar": "HOST:PORT", "default": ""}),
    ("--resources", {"metavar": "URL", "default": ""}),
    ("--seed", {"type": int, "default": 0}),
    ("--report", {"metavar": "DIR", "default": "", "dest": "evidence"}),
    ("--thorough", {"action": "store_true"}),
)
HELP = {
    "--clock": "virtual: an hour's call in a second; real: the gateway as a process of its own",
    "--gateway": "point the scenarios at a running gateway",
    "--gate": "call through a real gate; its password stands in VOICEGATE_GATE_PASSWORD",
    "--dial": "the number that the real gate sends to the gateway",
    "--gemini-listen": "run the fake service there for a gateway started elsewhere",
    "--resources": "where that gateway says what it holds (http://HOST:8080/resources)",
    "--seed": "what all chance of the simulated world comes from",
    "--report": "write the evidence of the run to this folder",
    "--thorough": "take every case of every table, not the first ones",
}
MARKERS = (
    "virtual_limit(seconds): how many virtual seconds the test may take (120)",
    "acceptance(row): the test stands for this row of the acceptance list",
    "thorough(but=N): a run of the whole folder takes the first N cases of it (0), unless asked",
    "any_voice: the test asks nothing of the model, so it runs where the voice is not ours",
    "direct: the test speaks SIP to the gateway itself, so it does not run through a gate",
    "needs_resources: the test is about what the gateway holds, so somebody must be able to see it",
)
