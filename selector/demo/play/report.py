"""Games as a table by day, as JSON and as a picture: recovered gap of the loop beside the baselines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from selector.demo.play.figures import Figure, figure
from selector.demo.play.game import LOOP, SUBMITTED, Game
from selector.demo.play.scores import BASELINES, ORACLE
from selector.report.plots.canvas import BLUE, GREEN, SKY, SOFT, VERMILLION, finish, new_figure, plain, write_plot
from selector.report.plots.model import Drawing

AHEAD_FROM = 3  # day from which the loop has to be ahead of every baseline
LEAST = 3  # games, below which an interval over games says nothing
RIVALS = tuple(name for name in BASELINES if name != ORACLE)
DIGITS = 4
_FEW = {1: "one game", 2: "two games"}
_COLOURS = dict(zip(BASELINES, (SOFT, VERMILLION, GREEN, SOFT), strict=True))


def by_day(games: Sequence[Game]) -> dict[str, list[Figure]]:
    """Mean recovered gap over games of every strategy, a day; baselines are the same on all days."""
    days = range(len(games[0].days))
    found = {
        LOOP: [figure([game.days[day].known for game in games]) for day in days],
        SUBMITTED: [figure([_submitted(game, day) for game in games]) for day in days],
    }
    return found | {name: [figure([game.gaps[name] for game in games])] * len(days) for name in BASELINES}


def lead(games: Sequence[Game], rival: str) -> list[Figure]:
    """By how much the loop is ahead of a baseline after each day, game by game."""
    return [figure([game.days[day].known - game.gaps[rival] for game in games]) for day in range(len(games[0].days))]


def as_json(games: Sequence[Game]) -> dict[str, Any]:
    """Every strategy by day, leads over baselines with the verdict, and each game as it went."""
    leads = {name: lead(games, name) for name in RIVALS}
    return {
        "days": [day + 1 for day in range(len(games[0].days))],
        "recovered_gap": {name: [_rounded(one) for one in figures] for name, figures in by_day(games).items()},
        "ahead": {name: [_rounded(one) for one in figures] for name, figures in leads.items()},
        f"ahead_from_day_{AHEAD_FROM}": {name: verdict(figures) for name, figures in leads.items()},
        "by_type": {
            kind: {who: _rounded(one) for who, one in found.items()} for kind, found in _by_type(games).items()
        },
        "games": [asdict(game) for game in games],
    }


def verdict(figures: Sequence[Figure]) -> str:
    """Of leads by day: "yes" if every mean and every interval is above 0 from the day on, "mean only", or "no".

    NaN, where picks cannot differ, is no lead. Of few games "one game" or "two games": they have no interval.
    """
    later = figures[AHEAD_FROM - 1 :]
    if not later or not all(one.mean > 0 for one in later):
        return "no"
    if later[0].n < LEAST:
        return _FEW[later[0].n]
    return "yes" if all(one.low > 0 for one in later) else "mean only"


def lines_of(games: Sequence[Game]) -> list[str]:
    """The printed tables."""
    found = by_day(games)
    used = sum(len(day.totals) for game in games for day in game.days) / len(games)
    head = f"recovered gap by day, {_over(games)} (0: a random pick, 1: the oracle)"
    rows = [(LOOP, "the best picks it knows"), (SUBMITTED, "the submission with the best total so far")]
    lines = [head, f"{'day':>4}" + "".join(f"{name:>26}" for name, _ in rows)]
    lines += [
        f"{day + 1:>4}" + "".join(f"{_words(found[name][day]):>26}" for name, _ in rows)
        for day in range(len(games[0].days))
    ]
    lines += ["", "baselines, the same on every day"]
    lines += [f"  {name:22}{_words(found[name][0]):>26}" for name in BASELINES]
    lines += ["", "in the end, by kind of task"]
    for kind, strategies in _by_type(games).items():
        lines += [f"  {kind:5}{name:22}{_words(one):>26}" for name, one in strategies.items()]
    lines += ["", f"{LOOP}: {rows[0][1]}; {SUBMITTED}: {rows[1][1]}; {used:.1f} submissions a game"]
    if len(games[0].days) >= AHEAD_FROM and len(games) >= LEAST:
        told = ", ".join(f"{name}: {verdict(lead(games, name))}" for name in RIVALS)
        lines.append(f"ahead from day {AHEAD_FROM} on, in mean and interval? {told}")
    return lines


def drawing(games: Sequence[Game]) -> Drawing:
    """Recovered gap by day: the loop with a band, baselines as lines."""
    found = by_day(games)
    days = [day + 1 for day in range(len(games[0].days))]
    picture = new_figure()
    axes = picture.subplots()
    plain(axes, "contest day (two submissions each)", "recovered gap (0 = random, 1 = oracle)")
    key = []
    for name, colour, style in ((LOOP, BLUE, "-"), (SUBMITTED, SKY, "--")):
        figures = found[name]
        if len(games) >= LEAST:
            axes.fill_between(days, [f.low for f in figures], [f.high for f in figures], color=colour, alpha=0.15, lw=0)
        label = "bestshot, best picks known" if name == LOOP else "bestshot, best submission so far"
        key += axes.plot(
            days, [f.mean for f in figures], style, color=colour, lw=2.2, marker="o", markersize=5, label=label
        )
    for name in BASELINES:
        one = found[name][0]
        if name in (ORACLE, RIVALS[0]):
            axes.axhline(one.mean, color=_COLOURS[name], lw=1.1, linestyle=(0, (4, 3)), zorder=1)
            continue
        if len(games) >= LEAST:
            axes.axhspan(one.low, one.high, color=_COLOURS[name], alpha=0.12, lw=0, zorder=0)
        key.append(axes.axhline(one.mean, color=_COLOURS[name], lw=1.6, linestyle="-.", label=name))
    axes.set_ylim(min(-0.06, axes.get_ylim()[0]), 1.06)
    axes.set_xticks(days)
    axes.annotate("oracle", (days[-1], 1), xytext=(0, 3), textcoords="offset points", ha="right", color=SOFT)
    axes.annotate("random", (days[-1], 0), xytext=(0, 3), textcoords="offset points", ha="right", color=SOFT)
    words = (
        f"{_over(games).capitalize()}, of {games[0].tasks} tasks, in the closed world, where the true score of every "
        f"candidate is known. After day {days[-1]}: {found[LOOP][-1].mean:.2f}; "
        f"argmax of similarity {found[RIVALS[1]][0].mean:.2f}, best single "
        f"generator (in hindsight) {found[RIVALS[2]][0].mean:.2f}."
    )
    return finish(picture, 4.2, "Recovered gap by contest day", words, f"Recovered gap by contest day. {words}", key)


def write_picture(path: Path, games: Sequence[Game]) -> Path:
    """Draw the games into a PNG file; its folder is made where it is not there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    return write_plot(path, drawing(games)).file


def _by_type(games: Sequence[Game]) -> Mapping[str, Mapping[str, Figure]]:
    kinds = games[0].by_type
    return {
        kind: {name: figure([game.by_type[kind][name] for game in games]) for name in (LOOP, *BASELINES)}
        for kind in kinds
    }


def _submitted(game: Game, day: int) -> float:
    """NaN before the first total counts as a random pick: nothing is on the leaderboard."""
    value = game.days[day].submitted
    return value if value == value else 0.0


def _over(games: Sequence[Game]) -> str:
    n = len(games)
    return _FEW[n] if n == 1 else f"mean of {_FEW[n]}" if n < LEAST else f"mean [95% interval] over n = {n} games"


def _words(one: Figure) -> str:
    return one.short if one.n >= LEAST else f"{one.mean:.3f}"


def _rounded(one: Figure) -> dict[str, float | int | None]:
    """Intervals of few games are None; NaN becomes null where it is written."""
    few = one.n < LEAST
    low, high = (None if few else round(end, DIGITS) for end in (one.low, one.high))
    return {"mean": round(one.mean, DIGITS), "low": low, "high": high, "n": one.n}
