"""A request of ours that was answered 401 or 407, made again with our credentials."""

from __future__ import annotations

import random

from voicegate.sip.digest import ANSWERS, Answerer, Credentials, best_challenge, fields_of
from voicegate.sip.message import Headers, Request, Response


class Login:
    """One account of ours, at a registrar or a trunk."""

    def __init__(self, credentials: Credentials, source: random.Random) -> None:
        self._answerer = Answerer(credentials, source)

    def answer(self, request: Request, response: Response) -> Headers | None:
        """The credentials to send the request again with (next CSeq, new branch).

        All of them: a proxy (407) and a server (401) on one way each want theirs. None where the
        response asks nothing that we can answer, or says no to what we have answered.
        """
        if response.status not in ANSWERS:
            return None
        asks, answers = ANSWERS[response.status]
        challenge = best_challenge(response.header_lines(asks))
        if challenge is None:
            return None
        given = [fields_of(line) for line in request.header_lines(answers)]
        if not challenge.stale and any(each.get("realm") == challenge.realm for each in given):
            return None
        kept = [
            (name, line)
            for _, name in ANSWERS.values()
            for line in request.header_lines(name)
            if name != answers or fields_of(line).get("realm") != challenge.realm
        ]
        answer = self._answerer.answer(challenge, request.method, request.uri)
        return (*kept, (answers, answer))
