"""Which columns of a table a selector sees, by the name of the set: ``cheap`` or ``cheap+judge``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from experiments.support.score_table import PQ, SC, proxy_of
from selector.domain import InputError

SETS = ("cheap", "cheap+judge")
CHEAP_JUDGES = ("llava", "qwenvl", "blip2", "instructblip")
LOCAL_JUDGE = "gemini"
SHOT = "_0shot"
# People and the families of judges that leaderboards use: never a feature, whatever they are called further.
NEVER = ("human", "gpt4o", "gpt4v")


def parse_sets(text: str) -> tuple[str, ...]:
    """Names of proxy sets separated by commas, each once, in the order given.

    Raises:
        InputError: when a name is unknown, or there is none.
    """
    names = tuple(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
    unknown = [name for name in names if name not in SETS]
    if unknown or not names:
        came = repr(unknown[0]) if unknown else "nothing"
        raise InputError(f"--proxies: expected {' or '.join(SETS)} (or both with a comma), got {came}")
    return names


def columns_of(name: str, header: Iterable[str], leaderboard: str) -> tuple[str, ...]:
    """Columns of the set that ``header`` has, judges as pairs, without those of the leaderboard's own judge.

    Raises:
        InputError: when the local judge is asked for and is not there, or when no proxy is left.
    """
    present = list(header)
    autos = [column for column in present if column.startswith("auto_")]
    judges = [judge + SHOT for judge in CHEAP_JUDGES]
    if name == "cheap+judge":
        judge = LOCAL_JUDGE + SHOT
        if judge == leaderboard:
            raise InputError(f"--proxies cheap+judge: {judge} is the leaderboard here; choose cheap, or another judge")
        if not _has_judge(judge, present):
            raise InputError(
                f"--proxies cheap+judge: the judge {LOCAL_JUDGE} is absent from the table (columns {judge}{SC} and "
                f"{judge}{PQ}); choose cheap, or add them"
            )
        judges.append(judge)
    pairs = [judge + axis for judge in judges if _has_judge(judge, present) for axis in (SC, PQ)]
    found = tuple(column for column in [*autos, *pairs] if may_be_seen(column, leaderboard))
    if not found:
        raise InputError(
            f"--proxies {name}: the table has no proxy at all; expected an auto_* column or one of "
            f"{', '.join(judge + SHOT + '_sc/_pq' for judge in CHEAP_JUDGES)}"
        )
    return found


def may_be_seen(column: str, leaderboard: str) -> bool:
    """Whether a column may be a feature: nothing of people, of GPT-4 or of the leaderboard's judge may."""
    return not column.startswith(NEVER) and proxy_of(column) != leaderboard


def _has_judge(judge: str, header: Sequence[str]) -> bool:
    return judge + SC in header and judge + PQ in header
