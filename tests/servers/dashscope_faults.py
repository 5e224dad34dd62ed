"""What goes wrong at the loopback service: by shares of the requests, or because a word of the prompt asks for it.

``@html`` in a prompt serves that fault once (for a download: once for each picture), ``@html*3`` three times; faults of
``LASTING`` are served for ever. Which request of a prompt meets a fault follows from the seed, the prompt and how often
it was asked before: the order in which clients come changes nothing.
"""

from __future__ import annotations

import re
import textwrap
import threading
from collections import Counter
from collections.abc import Mapping
from random import Random

THROTTLE, THROTTLE_TIMED, BROKEN, UNAVAILABLE = "429", "429-retry-after", "500", "503"
DROP, DROP_CREATED, REFUSE, INVALID = "drop", "drop-created", "refuse", "invalid"
PART_ECHO, ARREARS, KEY_ECHO, NO_ACCESS, NO_QUOTA, MOVED = (
    "part-echo",
    "arrears",
    "key-echo",
    "no-access",
    "no-quota",
    "moved",
)
SLOW, FAILED, FAILED_REFUSE, CANCELED = "slow", "failed", "failed-refuse", "canceled"
UNKNOWN, GONE, PARTIAL_REFUSE, PARTIAL_FAIL = "unknown", "gone", "partial-refuse", "partial-fail"
POLL_THROTTLE, POLL_BROKEN, POLL_DROP, POLL_DAMAGED = "poll-429", "poll-500", "poll-drop", "poll-damaged"
HTML, TRUNCATED, CUT, EXPIRED, REDIRECT = "html", "truncated", "cut", "expired", "redirect"
DOWNLOAD_BROKEN, DOWNLOAD_DROP, DOWNLOAD_THROTTLE = "download-500", "download-drop", "download-429"

AT_SUBMIT = (
    THROTTLE,
    THROTTLE_TIMED,
    BROKEN,
    UNAVAILABLE,
    DROP,
    DROP_CREATED,
    REFUSE,
    INVALID,
    PART_ECHO,
    ARREARS,
    KEY_ECHO,
    NO_ACCESS,
    NO_QUOTA,
    MOVED,
)
AT_WORK = (SLOW, FAILED, FAILED_REFUSE, CANCELED, UNKNOWN, GONE, PARTIAL_REFUSE, PARTIAL_FAIL)
AT_POLL = (POLL_THROTTLE, POLL_BROKEN, POLL_DROP, POLL_DAMAGED)
AT_DOWNLOAD = (HTML, TRUNCATED, CUT, EXPIRED, REDIRECT, DOWNLOAD_BROKEN, DOWNLOAD_DROP, DOWNLOAD_THROTTLE)
ALL = (*AT_SUBMIT, *AT_WORK, *AT_POLL, *AT_DOWNLOAD)
LASTING = frozenset(
    {REFUSE, INVALID, PART_ECHO, ARREARS, KEY_ECHO, NO_ACCESS, NO_QUOTA, MOVED, FAILED_REFUSE, EXPIRED, REDIRECT}
)

_WORD = re.compile(r"@([a-z0-9-]+)(?:\*(\d+))?")


def in_words() -> str:
    """All faults by the request that meets them; for the command line's help."""
    groups = {"submissions": AT_SUBMIT, "jobs": AT_WORK, "questions": AT_POLL, "downloads": AT_DOWNLOAD}
    lines = [
        "faults, each by a share of its requests (--share 429=0.05), or by a word of a prompt: @429 once, @429*3",
        "three times; those with a + are lasting: by a share of the prompts, and then for ever",
    ]
    for kind, names in groups.items():
        marked = " ".join(name + ("+" if name in LASTING else "") for name in names)
        lines += textwrap.wrap(f"{kind}: {marked}", 100, initial_indent="  ", subsequent_indent="    ")
    return "\n".join(lines)


class Faults:
    """Chooses; safe for threads.

    Args:
        shares: fault to the share of requests of its kind that meet it; for a lasting one, of the prompts.
        seed: of the choice.
    """

    def __init__(self, shares: Mapping[str, float], seed: int) -> None:
        unknown = set(shares) - set(ALL)
        if unknown:
            raise ValueError(f"there are no faults {sorted(unknown)}")
        self._shares, self._seed = dict(shares), seed
        self._asked: Counter[tuple[str, str, str]] = Counter()
        self._served: Counter[tuple[str, str, str]] = Counter()
        self.count: Counter[str] = Counter()  # of each fault that was served
        self._lock = threading.Lock()

    def choose(self, kinds: tuple[str, ...], prompt: str, place: str = "") -> str:
        """One of ``kinds``, or "". ``place`` tells the requests of a prompt apart (a picture's name)."""
        with self._lock:
            found = self._by_word(kinds, prompt, place) or self._by_share(kinds, prompt, place)
            if found:
                self.count[found] += 1
            return found

    def _by_word(self, kinds: tuple[str, ...], prompt: str, place: str) -> str:
        if "@" not in prompt:
            return ""
        for name, times in _WORD.findall(prompt):
            if name not in kinds:
                continue
            if name in LASTING or self._served[name, prompt, place] < int(times or 1):
                self._served[name, prompt, place] += 1
                return str(name)
        return ""

    def _by_share(self, kinds: tuple[str, ...], prompt: str, place: str) -> str:
        if not self._shares:
            return ""
        self._asked[kinds[0], prompt, place] += 1
        turn = self._asked[kinds[0], prompt, place]
        for name in kinds:
            share = self._shares.get(name, 0.0) if name in LASTING else 0.0
            if share and Random(f"{self._seed} {name} {prompt!r} {place}").random() < share:
                return name
        point = Random(f"{self._seed} {kinds[0]} {prompt!r} {place} {turn}").random()
        for name in kinds:
            point -= 0.0 if name in LASTING else self._shares.get(name, 0.0)
            if point < 0:
                return name
        return ""
