"""The two loopback servers of the crash test, and what they know of money: images paid for, questions answered."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Set
from contextlib import contextmanager

from experiments.support.remote_campaign import KEY
from experiments.support.servers import Behaviour, DashScopeServer, JudgeBehaviour, JudgeServer

AT_ONCE = 2  # jobs and questions that the campaign has on their way: no more can be lost
ON_ITS_WAY_SECONDS = 3.0  # a reply sent so long before a process ended may not be stored yet, on a busy machine
IMAGE_SECONDS, ANSWER_SECONDS = 0.2, 0.4  # while a verb is disturbed; afterwards nothing takes time
Bill = Counter[tuple[str, ...]]


class Servers:
    """Both, running. A bill counts images by ("image", prompt, seed) and answers by ("answer", question)."""

    def __init__(self, service: DashScopeServer, chat: JudgeServer) -> None:
        self._service, self._chat = service, chat
        self.service_url, self.chat_url = service.url, chat.url

    def take_time(self, takes: bool) -> None:
        """Let images and answers take their time, so that a signal can meet one on its way."""
        self._service.state.behaviour.job_seconds = IMAGE_SECONDS if takes else 0.0
        self._chat.behaviour.latency_seconds = ANSWER_SECONDS if takes else 0.0

    def bill(self) -> Bill:
        """All that was made and answered so far."""
        return self._images(frozenset(), 0.0) + self._answers(0.0)

    def on_their_way(self, tickets: Set[str], ended_at: float) -> Bill:
        """What a process that ended then (seconds since 1970) paid for and could not have stored.

        Args:
            tickets: ids of the jobs that are stored.
            ended_at: when it ended.
        """
        if self._chat.first_seconds:
            time.sleep(1.5 * ANSWER_SECONDS)  # until what was asked last is answered, to nobody
        since = ended_at - ON_ITS_WAY_SECONDS
        return self._images(tickets, since) + self._answers(since)

    def _images(self, known: Set[str], since: float) -> Bill:
        lately = [
            job
            for job in self._service.state.listing()
            if job["id"] not in known and (job["lost"] or not job["told"] or job["told"] >= since)
        ]
        bill: Bill = Counter()
        for job in lately[-AT_ONCE:] if since else lately:
            seeds = range(job["seed"], job["seed"] + job["n"])
            bill.update(("image", job["prompt"], str(seed)) for seed in seeds)
        return bill

    def _answers(self, since: float) -> Bill:
        with self._chat.lock:
            log = list(self._chat.log)
        lately = [("answer", a.text, *a.images) for a in log if a.at >= since]
        return Counter(lately[-AT_ONCE:] if since else lately)


@contextmanager
def serving() -> Iterator[Servers]:
    """Start both; they end with the block."""
    painting = Behaviour(key=KEY, job_seconds=0.0, picture_px=64)
    with DashScopeServer(painting) as service, JudgeServer(JudgeBehaviour()) as chat:
        yield Servers(service, chat)
