"""What a played campaign says and has stored, as tables of the record.

Asks the verbs of ``Campaign`` and reads tables by named columns with plain sqlite3, so that no code under test stands
between the store and the record. Nothing that differs between two runs is in it: row ids, times, places, ports.
"""

from __future__ import annotations

import contextlib
import json
import re
import sqlite3
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

from experiments.support.golden_record import Table, table
from selector import Campaign
from selector.domain import InputError

PIXELS = ("numpy", "opencv-python-headless", "opencv-python", "pillow")
_ESTIMATES = ("sc", "sc_sd", "pq", "pq_sd", "overall", "overall_sd")
_RIVAL = ("overall", "overall_sd", "sc", "pq", "p_best")
_PLANNED = ("purpose", "hold", "expected", "low", "high", "present", "gain", "lesson", "remaining", "changed")
_WEIGHT = ("prior", "prior_sd", "mean", "sd", "moved")
_TOLERANCE = 1e-6
_ROUNDED = 0.011  # of text that tells numbers with two decimals
_CHANCE = 2e-3  # of probabilities from 4,096 draws
_PORT = re.compile(r"127\.0\.0\.1:\d+")
# Of the manifest: what depends on the machine, and what says how many threads worked.
_OF_THE_MACHINE = ("program",)
_OF_THE_RUN = ("workers",)


class Tables:
    """Reads one campaign.

    Args:
        campaign: that was played.
        packages: what its images rest on, and with them nearly everything.
        inputs_rest_on: the same of its input pictures and recipes, where they were not written by hand.
    """

    def __init__(
        self, campaign: Campaign, packages: Sequence[str] = PIXELS, inputs_rest_on: Sequence[str] = ()
    ) -> None:
        self._campaign = campaign
        self._packages = packages
        self._inputs_rest_on = inputs_rest_on

    def all(self, explained: Sequence[str]) -> dict[str, Table]:
        """File name to table. ``explained``: ids of the tasks whose picks are taken apart."""
        scores, unscored = self._scores()
        return {
            **self._attempts(),
            "candidates": self._candidates(),
            "scores": scores,
            "unscored": unscored,
            "estimates": self._estimates(),
            "explanations": self._explanations(explained),
            "submissions": self._submissions(),
            "manifest": self._manifest(),
        }

    def inputs(self) -> dict[str, Table]:
        """The task table and the configuration, as the campaign was made from them."""
        tasks = [(t.position, t.id, t.type.value, t.prompt, t.source, t.reference) for t in self._campaign.tasks]
        config = tomllib.loads((self._campaign.folder / "campaign.toml").read_text(encoding="utf-8"))
        settings = [(name, _json(value)) for name, value in _flat(config) if name not in _OF_THE_RUN]
        columns = "id type prompt source reference"
        return {
            "tasks": table("position", columns, tasks, packages=self._inputs_rest_on),
            "config": table("key", "value", settings),
        }

    def picks(self) -> Table:
        """The best known picks, as ``pick`` gives them."""
        rows = []
        for pick in self._campaign.pick(replace=True):
            estimate = [getattr(pick.estimate, name) if pick.estimate else None for name in _ESTIMATES]
            rows.append([pick.task_id, pick.candidate_id, *estimate, pick.fallback, pick.reason])
        bounds = {**dict.fromkeys(_ESTIMATES, _TOLERANCE), "reason": _ROUNDED}
        return self._table("task", f"candidate {' '.join(_ESTIMATES)} fallback reason", rows, bounds)

    def plans(self, plans: Sequence[Any]) -> dict[str, Table]:
        """What ``plan`` gave, oldest first: their figures and what they would teach, and their picks."""
        facts: list[Sequence[Any]] = []
        picks = []
        for turn, found in enumerate(plans, 1):
            plan = found.plan
            facts += [(turn, name, getattr(plan, name), None) for name in _PLANNED]
            facts += [(turn, "best_total", found.best_total, None), (turn, "why", None, plan.why)]
            facts += [(turn, f"note {n}", None, note) for n, note in enumerate(found.notes, 1)]
            for line in plan.learnings:
                facts += [
                    (turn, f"{line.effect} before", line.before, None),
                    (turn, f"{line.effect} after", line.after, None),
                ]
            picks += [(turn, pick.task_id, pick.candidate_id, _to_learn(pick.reason)) for pick in found.picks]
        return {
            "plans": self._table("turn fact", "value words", facts, {"value": _TOLERANCE, "words": _ROUNDED}),
            "planned": self._table("turn task", "candidate reason", picks, {"reason": _ROUNDED}),
        }

    def lessons(self) -> dict[str, Table]:
        """What the totals taught: weights, and what was expected of each total before it came."""
        found = self._campaign.calibrate()
        weights = [
            (w.task_type or "all", w.kind, w.name, *(getattr(w, name) for name in _WEIGHT)) for w in found.weights
        ]
        told = [(t.submission_id, t.scope or "all", t.total, t.expected, t.low, t.high, t.outlier) for t in found.told]
        totals = "total expected low high outlier"
        return {
            "weights": self._table("type kind name", " ".join(_WEIGHT), weights, dict.fromkeys(_WEIGHT, _TOLERANCE)),
            "told": self._table(
                "submission scope", totals, told, dict.fromkeys(("expected", "low", "high"), _TOLERANCE)
            ),
        }

    def wishes(self, judge: str, budget: int) -> dict[str, Table]:
        """Where the next candidates, made here or by hand, and judgements are expected to win most."""
        found = self._campaign.plan_generating(budget)
        new = [(w.task_id, w.generator, w.count, w.worth) for w in (*found.wishes, *found.by_hand)]
        asked = [(j.task_id, j.candidate_id, j.worth) for j in self._campaign.judges[judge].plan(budget)]
        worth = {"worth": _TOLERANCE}
        return {
            "wishes": self._table("task generator", "count worth", new, worth),
            "to_judge": self._table("task candidate", "worth", asked, worth),
        }

    def _attempts(self) -> dict[str, Table]:
        """What was to be made by recipe, and how it ended; what generators declined as a whole; their builds."""
        columns = "task_id, generator, recipe_key, variant, seed, params, ordinal, outcome, reason, try_number, build"
        made = query(self._campaign, f"SELECT {columns} FROM attempt")
        planned = query(self._campaign, "SELECT task_id, generator, outcome, reason, build FROM planning")
        rows = [(*row[:5], _json(json.loads(row[5])), *row[6:-1]) for row in made]
        builds = {(row[1], row[-1]) for row in (*made, *planned)}
        outcomes = [row[:-1] for row in planned]
        values = "variant seed params ordinal outcome reason try"
        return {
            "attempts": table("task generator recipe", values, rows, packages=self._inputs_rest_on),
            "plannings": table("task generator", "outcome reason", outcomes, packages=self._inputs_rest_on),
            "builds": table("generator build", "", builds, packages=self._inputs_rest_on),
        }

    def _candidates(self) -> Table:
        made = (
            "SELECT a.task_id, a.generator, a.recipe_key, c.id, c.width_px, c.height_px, c.size_bytes "
            "FROM attempt a JOIN candidate c ON c.task_id = a.task_id AND c.id = a.candidate_id"
        )
        return self._table("task generator recipe", "id width_px height_px size_bytes", query(self._campaign, made))

    def _scores(self) -> tuple[Table, Table]:
        """A row a candidate with a column a score, and how many are unscored for which reason."""
        stored = 'SELECT task_id, candidate_id, scorer, version, "column", value, reason FROM score'
        values: dict[tuple[str, str], dict[str, float | None]] = defaultdict(dict)
        unscored: Counter[tuple[str, str]] = Counter()
        for task, candidate, scorer, version, column, value, reason in query(self._campaign, stored):
            name = f"{scorer}-{version}.{column}".replace(" ", "_")
            values[task, candidate][name] = value
            if reason is not None:
                unscored[name, reason] += 1
        names = sorted({name for found in values.values() for name in found})
        rows = [(*ids, *(found.get(name) for name in names)) for ids, found in values.items()]
        bounds = dict.fromkeys(names, _TOLERANCE)
        reasons = self._table("score reason", "candidates", ((*why, n) for why, n in unscored.items()))
        return self._table("task candidate", " ".join(names), rows, bounds), reasons

    def _estimates(self) -> Table:
        """Every candidate, as ``explain`` ranks them within their task."""
        rows = []
        for task in self._campaign.tasks:
            found = self._explained(task.id)
            for place, rival in enumerate(found.rivals if found else (), 1):
                numbers = [getattr(rival, name) for name in _RIVAL]
                rows.append((task.id, rival.candidate_id, place, rival.made_with, *numbers, rival.excluded))
        bounds = {**dict.fromkeys(_RIVAL, _TOLERANCE), "p_best": _CHANCE}
        return self._table("task candidate", f"place made_with {' '.join(_RIVAL)} excluded", rows, bounds)

    def _explanations(self, tasks: Sequence[str]) -> Table:
        rows: list[Sequence[Any]] = []
        for found in filter(None, map(self._explained, tasks)):
            task = found.task_id
            rows += [(task, "basis", found.basis, None), (task, "start", found.start, found.start)]
            rows += [(task, part.name, part.pick, part.runner_up) for part in found.parts]
            rows += [(task, "stored", found.stored, found.stored_reason)] if found.stored else []
        return self._table("task part", "pick runner_up", rows, {"pick": _TOLERANCE, "runner_up": _TOLERANCE})

    def _explained(self, task: str) -> Any:
        """What ``explain`` says; None where the task has no candidate but a fallback."""
        try:
            return self._campaign.explain(task)
        except InputError:
            return None

    def _submissions(self) -> Table:
        rows = [
            (s.id, s.state, s.day, s.total, _json(s.type_totals), s.corrections, s.fallbacks, s.zip_name, s.zip_sha256)
            for s in list(self._campaign.submissions)
        ]
        return self._table("id", "state day total type_totals corrections fallbacks zip_name zip_sha256", rows)

    def _manifest(self) -> Table:
        """The newest submission's, without what depends on the machine, the commit, ports and threads."""
        newest = list(self._campaign.submissions)[-1].id
        path = self._campaign.folder / "submissions" / newest / "manifest.json"
        manifest = json.loads(path.read_text(encoding="utf-8"))
        picks = manifest.pop("picks")
        facts = {k: v for k, v in manifest.items() if k not in _OF_THE_MACHINE}
        facts["config"] = {k: v for k, v in facts["config"].items() if k not in _OF_THE_RUN}
        rows: list[Sequence[Any]] = [(name, _json(value), None) for name, value in _flat(facts)]
        rows += [_pick_row(**pick) for pick in picks]
        return self._table("place", "value reason", rows, {"reason": _ROUNDED})

    def judgements(self) -> Table:
        """What judges were given to say, as it was stored."""
        stored = "SELECT judge, task_id, candidate_id, kind, sc, pq, parts, reason FROM judgement"
        rows = [(*row[:6], _json(json.loads(row[6])), row[7]) for row in query(self._campaign, stored)]
        return self._table("judge task candidate", "kind sc pq parts reason", rows)

    def jobs(self) -> Table:
        """What services were asked for, and how each image of a job ended."""
        stored = (
            "SELECT j.task_id, j.generator, j.recipe_keys, j.service, j.build, j.price, e.recipe_key, e.outcome, "
            "e.reason FROM job j LEFT JOIN job_end e ON e.job_id = j.id"
        )
        values = "service build price of_recipe outcome reason"
        return table("task generator recipes", values, query(self._campaign, stored))

    def _table(
        self, key: str, values: str, rows: Iterable[Sequence[Any]], tolerances: Mapping[str, float] | None = None
    ) -> Table:
        return table(key, values, rows, tolerances, self._packages)


def _to_learn(reason: str) -> str | None:
    """The reason where it is not the usual one, which the picks of the end tell in full."""
    return None if reason.startswith("best of") else reason


def _pick_row(task: str, reason: str, **facts: Any) -> tuple[str, str, str]:
    return f"pick of {task}", _json(facts), reason


def query(campaign: Campaign, text: str) -> list[tuple[Any, ...]]:
    """Rows of the campaign's own database."""
    with contextlib.closing(sqlite3.connect(campaign.folder / "campaign.db")) as connection:
        return connection.execute(text).fetchall()


def _flat(values: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    """Nested mappings as "a.b.c" and value."""
    for name, value in values.items():
        if isinstance(value, Mapping) and value:
            yield from _flat(value, f"{before}{name}.")
        else:
            yield before + name, value


def _json(value: Any) -> str:
    return _PORT.sub("127.0.0.1:PORT", json.dumps(value, ensure_ascii=False, sort_keys=True))
