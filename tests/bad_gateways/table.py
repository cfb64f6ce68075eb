"""The sins as they are found in this folder, and the page about them in the documentation.

`python -m tests.bad_gateways.table` writes docs/bad-gateways.md anew.
"""

import importlib
from pathlib import Path

from tests.bad_gateways.rows import ROWS
from tests.bad_gateways.sin import Sin

FOLDER = Path(__file__).parent
PAGE = FOLDER.parents[1] / "docs" / "bad-gateways.md"
PLUMBING = (
    *(
        "agent",
        "base",
        "calls",
        "dialogs",
        "messages",
        "offers",
        "process",
        "rows",
        "sin",
        "sounds",
    ),
    *("streams", "table", "world", "test_bad_gateways"),
)

ABOUT = """\
# Gateways that are broken on purpose

A harness that nobody has seen fail proves nothing. `tests/bad_gateways/` holds one small gateway
per sin. Each is a correct gateway (`base.py`, written from the RFCs, sharing no line with voicegate
or with the simulator) with one method overridden, and each is played through the same {rows}
scenarios: it must turn its own scenario red, with the message below, and no other but those that
cannot help it. The correct gateway itself is green in all of them, which shows that the scenarios
are about gateways, not about voicegate.

Every file also runs as a process of its own, for a harness that judges from outside:

```
python tests/bad_gateways/cseq_999.py --port 5071 --admin-port 8099
```

with `GOOGLE_GEMINI_BASE_URL`, `SSL_CERT_FILE` and `GEMINI_API_KEY` from the environment. It writes
`{{"event": "gateway ready", ..}}` to stderr once it listens, and answers `GET /health`, `/ready`
and `/resources`. `base.py` is the one without a sin.

| sin | who did it, or what comes of it | caught by | with the words |
|---|---|---|---|
"""
ALSO = """
## Sins that show in more than one scenario

Some checks stand behind every call: the judge of SIP, the judge of RTP, the leak gate.

| sin | also red | why |
|---|---|---|
"""
NAMES = """
## The scenarios by their short names

| name | scenario |
|---|---|
"""


def sins() -> list[Sin]:
    """Every SIN of the folder, by the name of its file."""
    names = sorted(file.stem for file in FOLDER.glob("*.py") if file.stem not in PLUMBING)
    found = [importlib.import_module(f"tests.bad_gateways.{name}").SIN for name in names]
    return [sin for sin in found if isinstance(sin, Sin)]


def page() -> str:
    """The whole page, from the records of the sins."""
    told = sins()
    caught = [
        f"| `{sin.name}`: {sin.sentence} | {sin.did} | {sin.row} | `{sin.message}` |"
        for sin in told
    ]
    also = [f"| `{sin.name}` | {', '.join(sin.also)} | {sin.why} |" for sin in told if sin.also]
    names = [f"| {name} | `{row.name}` |" for name, row in ROWS.items()]
    about = ABOUT.format(rows=len(ROWS))
    blocks = (about, *caught, ALSO, *also, NAMES, *names)
    return "".join(block if block.endswith("\n") else f"{block}\n" for block in blocks)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
