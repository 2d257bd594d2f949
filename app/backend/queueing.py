"""Who may ask, and who is next: rates within a minute, and a queue that takes visitors in turn."""

from __future__ import annotations

import asyncio
import time
from collections import Counter, OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, field

from catalogs.sql.service import SqlLimits, SqlRefused

_MINUTE = 60.0


class Rates:
    """Counts what visitors and addresses ask within a minute."""

    def __init__(self, limits: SqlLimits, clock: Callable[[], float] = time.monotonic) -> None:
        self._limits = limits
        self._clock = clock
        self._asked: OrderedDict[tuple[str, str], deque[float]] = OrderedDict()

    def count(self, who: str, address: str) -> None:
        """Count one question. Raises ``SqlRefused`` when it is one too many."""
        now = self._clock()
        while self._asked and next(iter(self._asked.values()))[-1] <= now - _MINUTE:
            self._asked.popitem(last=False)
        counted = [("visitor", who, self._limits.per_minute)] if who else []
        if address:
            counted.append(("address", address, self._limits.per_minute_address))
        for kind, name, most in counted:
            times = self._asked.get((kind, name), deque())
            while times and times[0] <= now - _MINUTE:
                times.popleft()
            if len(times) >= most:
                raise SqlRefused(
                    "rate",
                    f"At most {most} queries a minute are answered to one"
                    f" {'visitor' if kind == 'visitor' else 'network address'}.",
                    f"Try again in {max(1, round(times[0] + _MINUTE - now))} s.",
                )
        for kind, name, _ in counted:
            self._asked.setdefault((kind, name), deque()).append(now)
            self._asked.move_to_end((kind, name))


@dataclass(eq=False)
class Turn:
    """A place in the queue, then a place among those who run."""

    who: str
    came: asyncio.Future[None] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )


class FairQueue:
    """Lets a number of jobs run at a time; who waits is taken visitor by visitor in turn.

    Parameters
    ----------
    running, running_each
        Jobs at a time: all, and those of one visitor.
    waiting, waiting_each
        Places in the queue: all, and those of one visitor.
    """

    def __init__(self, running: int, running_each: int, waiting: int, waiting_each: int) -> None:
        self._most, self._most_each = running, running_each
        self._places, self._places_each = waiting, waiting_each
        self._runs: Counter[str] = Counter()
        self._waiting: OrderedDict[str, deque[Turn]] = OrderedDict()

    def enter(self, who: str) -> Turn:
        """Take a place; wait for ``turn.came``. Raises ``SqlRefused`` when the queue is full."""
        turn = Turn(who)
        own = self._waiting.get(who, ())
        free = self._most - self._runs.total()
        if free <= 0 or self._runs[who] >= self._most_each or own:
            if len(own) >= self._places_each:
                raise SqlRefused(
                    "queue",
                    f"{len(own)} of your queries are waiting already.",
                    "Wait for one of them, or cancel it.",
                )
            if sum(map(len, self._waiting.values())) >= self._places:
                raise SqlRefused("queue", "Too many queries are waiting.", "Try again in a minute.")
        self._waiting.setdefault(who, deque()).append(turn)
        self._call()
        return turn

    def place(self, turn: Turn) -> int:
        """Return how many turns it takes until this one: 1 is next, 0 runs."""
        if turn.came.done():
            return 0
        order = self._order()
        return order.index(turn) + 1 if turn in order else 0

    def leave(self, turn: Turn) -> None:
        """Give back a place, whether waiting or running."""
        if turn.came.done() and not turn.came.cancelled():
            self._runs[turn.who] -= 1
            self._runs += Counter()  # those with nothing running are forgotten
        elif turn in (own := self._waiting.get(turn.who, deque())):
            own.remove(turn)
            if not own:
                del self._waiting[turn.who]
            turn.came.cancel()
        self._call()

    def _order(self) -> list[Turn]:
        """Return who waits in the order of their turns: the first of each, the second of each."""
        rounds = max(map(len, self._waiting.values()), default=0)
        return [
            turns[number]
            for number in range(rounds)
            for turns in self._waiting.values()
            if number < len(turns)
        ]

    def _call(self) -> None:
        """Let those run for whom there is room; a visitor who was called goes to the end."""
        for who in list(self._waiting):
            if self._runs.total() >= self._most:
                return
            if self._runs[who] >= self._most_each:
                continue
            turns = self._waiting[who]
            turn = turns.popleft()
            self._runs[who] += 1
            turn.came.set_result(None)
            self._waiting.move_to_end(who)
            if not turns:
                del self._waiting[who]
