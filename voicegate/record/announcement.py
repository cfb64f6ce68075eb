"""The announcement before the greeting: that the call is recorded, where the law asks for it."""


def announced(greeting: str, announcement: str) -> str:
    """Give what the model is told at the answer, so that it says the announcement first."""
    if not announcement:
        return greeting
    first = f'Before anything else say exactly this, in full: "{announcement}"'
    return f"{first} Then: {greeting}" if greeting else first
