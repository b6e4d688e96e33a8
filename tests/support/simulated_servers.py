"""A host and the threads that ask it, in virtual time: what a pace is worth, exactly repeatable."""

from __future__ import annotations

import heapq
import math
import random
from collections import deque
from dataclasses import dataclass, field
from typing import Deque, Protocol

BACKOFF = 0.5  # seconds after a first refusal, doubling


@dataclass(frozen=True)
class Answer:
    """What becomes of one request: it ends after `seconds`; `retry_after` only where refused."""

    seconds: float
    refused: bool = False
    retry_after: float | None = None


class Server(Protocol):
    """Something that answers requests, each as it arrives."""

    def ask(self, now: float, chance: random.Random) -> Answer:
        """Answer a request that begins at `now`; called in the order of time."""


class PaceLike(Protocol):
    """What is simulated: who may start when."""

    def start(self, now: float) -> float:
        """0.0: start; else seconds."""

    def success(self, now: float, first_byte: float | None, began: float | None = None) -> None:
        """A request ended well."""

    def refused(self, now: float, retry_after: float | None, began: float | None = None) -> None:
        """A request was refused."""


@dataclass
class Free:
    """Nothing is limited."""

    latency: float = 0.1

    def ask(self, now: float, chance: random.Random) -> Answer:
        """Always well."""
        return Answer(self.latency * chance.uniform(0.9, 1.1))


@dataclass
class InFlight(Free):
    """At most `limit` at once, until `lifted`; the end of an answer is noticed `late` after us."""

    limit: int = 8
    late: tuple[float, float] = (0.0, 0.0)
    retry_after: float | None = 1.0
    refusing_takes: float = 1.0  # of the latency
    lifted: float = math.inf
    busy: list[float] = field(default_factory=list)

    def ask(self, now: float, chance: random.Random) -> Answer:
        """Refuse what is too much."""
        answer = super().ask(now, chance)
        while self.busy and self.busy[0] <= now:
            heapq.heappop(self.busy)
        if len(self.busy) >= self.limit and now < self.lifted:
            return Answer(answer.seconds * self.refusing_takes, True, self.retry_after)
        heapq.heappush(self.busy, now + answer.seconds + chance.uniform(*self.late))
        return answer


@dataclass
class Rate(Free):
    """At most `rate` a second and `burst` in a burst, until `lifted`."""

    rate: float = 60.0
    burst: float = 20.0
    retry_after: float | None = 1.0
    refusing_takes: float = 1.0
    lifted: float = math.inf
    tokens: float = math.inf
    at: float = 0.0

    def ask(self, now: float, chance: random.Random) -> Answer:
        """Refuse what comes too fast."""
        answer = super().ask(now, chance)
        self.tokens = min(self.burst, self.tokens + (now - self.at) * self.rate)
        self.at = now
        if self.tokens < 1 and now < self.lifted:
            return Answer(answer.seconds * self.refusing_takes, True, self.retry_after)
        self.tokens -= 1
        return answer


@dataclass
class Queue(Free):
    """Works on `lanes` at once; the others wait in line."""

    lanes: int = 8
    free: list[float] = field(default_factory=list)

    def ask(self, now: float, chance: random.Random) -> Answer:
        """Later, if it must be."""
        begin = now if len(self.free) < self.lanes else max(now, heapq.heappop(self.free))
        end = begin + super().ask(now, chance).seconds
        heapq.heappush(self.free, end)
        return Answer(end - now)


@dataclass
class Moody(Free):
    """Refuses `share` of the requests for no reason."""

    share: float = 0.01
    retry_after: float | None = 1.0

    def ask(self, now: float, chance: random.Random) -> Answer:
        """Sometimes not."""
        answer = super().ask(now, chance)
        refused = chance.random() < self.share
        return Answer(answer.seconds, refused, self.retry_after if refused else None)


@dataclass
class Down(Free):
    """Refuses everything until `until`."""

    until: float = 5.0
    retry_after: float | None = None

    def ask(self, now: float, chance: random.Random) -> Answer:
        """Not yet."""
        answer = super().ask(now, chance)
        refused = now < self.until
        return Answer(answer.seconds, refused, self.retry_after if refused else None)


@dataclass(frozen=True)
class Result:
    """What a run came to; `starts` are the times at which accepted requests began."""

    wall: float
    requests: int
    refused: int
    starts: tuple[float, ...]

    @property
    def refused_share(self) -> float:
        """Refused requests among all."""
        return self.refused / self.requests


def run(pace: PaceLike, server: Server, pictures: int, workers: int, seed: int) -> Result:
    """Let `workers` fetch `pictures`, refused ones again after a wait; return how it went."""
    return _Run(pace, server, pictures, workers, seed).result()


@dataclass
class _Worker:
    began: float = 0.0
    refusals: int = 0
    answer: Answer = Answer(0.0)


class _Run:
    def __init__(
        self, pace: PaceLike, server: Server, pictures: int, workers: int, seed: int
    ) -> None:
        self.pace = pace
        self.server = server
        self.left = pictures
        self.chance = random.Random(seed)
        self.events: list[tuple[float, int, _Worker | None]] = []
        self.number = 0
        self.asking: Deque[_Worker] = deque(_Worker() for _ in range(workers))
        self.alarm = math.inf
        self.starts: list[float] = []
        self.refused = 0
        self.running: set[int] = set()

    def result(self) -> Result:
        now = 0.0
        wall = 0.0
        self.asking = deque(list(self.asking)[: self.left])
        self.left -= len(self.asking)
        self.let_start(now)
        while self.events:
            now, _, worker = heapq.heappop(self.events)
            if worker is None:
                self.alarm = math.inf
            elif id(worker) in self.running:
                if self.ended(now, worker):
                    wall = now
            else:
                self.asking.append(worker)
            self.let_start(now)
        assert not self.asking, 'somebody waits for ever'
        return Result(wall, len(self.starts) + self.refused, self.refused, tuple(self.starts))

    def at(self, time: float, worker: _Worker | None) -> None:
        self.number += 1
        heapq.heappush(self.events, (time, self.number, worker))

    def let_start(self, now: float) -> None:
        while self.asking:
            seconds = self.pace.start(now)
            if seconds:
                if now + seconds < self.alarm:
                    self.alarm = now + seconds
                    self.at(self.alarm, None)
                return
            worker = self.asking.popleft()
            worker.began = now
            worker.answer = self.server.ask(now, self.chance)
            self.running.add(id(worker))
            self.at(now + worker.answer.seconds, worker)

    def ended(self, now: float, worker: _Worker) -> bool:
        self.running.discard(id(worker))
        if worker.answer.refused:
            self.pace.refused(now, worker.answer.retry_after, worker.began)
            backoff = BACKOFF * 2.0**worker.refusals
            self.refused += 1
            worker.refusals += 1
            self.at(now + max(backoff, worker.answer.retry_after or 0.0), worker)
            return False
        self.starts.append(worker.began)
        self.pace.success(now, worker.answer.seconds, worker.began)
        worker.refusals = 0
        if self.left:
            self.left -= 1
            self.asking.append(worker)
        return True
