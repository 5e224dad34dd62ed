"""What a judge is asked about a candidate, and what its replies come to: medians over repeats, and their spread."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean, median

from selector.config import JudgeConfig
from selector.contest.profile import ContestProfile
from selector.contest.score import smallest_part
from selector.domain import Axis, InputError, Picture, Task, TaskType, stable_hash
from selector.llm._asking import REJECTED, Question
from selector.llm._client import Answer
from selector.llm._replies import REFUSED, SCORED, UNREADABLE, Reading, read_reply
from selector.llm._request import Chat, rubric_chat
from selector.llm._rubrics import CANDIDATE, REFERENCE, SOURCE, Rubric, ask_pq, ask_sc
from selector.store.observations import JUDGE, Judgement
from selector.store.replies import ReplyRow
from selector.workspace.workspace import Workspace

Key = tuple[str, str]  # task id, candidate id
OPEN, UNSCORED = "open", "unscored"
MORE_REPLIES = "median over more replies"
EQUAL = "several alike"


@dataclass(frozen=True)
class Call:
    """One rubric about one candidate, to be asked once for each ``repeat``; ``images``: ids in the order shown.

    Equal keys are equal requests: the same model, provider, words, sampling, pictures and repeat.
    """

    key: str
    task: Task
    candidate_id: str
    rubric: Rubric
    images: tuple[str, ...]
    repeat: int


class Calls:
    """Makes the calls about candidates, and reads their pictures. Safe for threads."""

    def __init__(self, ws: Workspace, settings: JudgeConfig, provider: str) -> None:
        self._ws = ws
        self._settings = settings
        self._provider = provider
        self._input_ids: dict[str, dict[str, str]] = {}
        self._pq = ask_pq(ws.profile.score.pq_parts)  # one for all: thousands of candidates share its words
        self._sc: dict[str, Rubric] = {}

    def about(self, task: Task, candidate_id: str) -> list[Call]:
        """All calls about a candidate, repeat by repeat.

        Raises:
            InputError: an input picture of the task is missing.
        """
        settings = self._settings
        ids = {**self._ids_of_inputs(task), CANDIDATE: candidate_id}
        if task.id not in self._sc:
            self._sc[task.id] = _sc(self._ws.profile, task.type, task.prompt)
        found = []
        for repeat in range(settings.repeats):
            for rubric in (self._sc[task.id], self._pq):
                images = tuple(ids[role] for role in rubric.roles)
                sampling = [settings.temperature, settings.seed]
                identity = [self._provider, settings.model, rubric.prompt_hash, sampling, list(images), repeat]
                found.append(Call(stable_hash(identity, 40), task, candidate_id, rubric, images, repeat))
        return found

    def question(self, call: Call, replies: Sequence[ReplyRow]) -> Question:
        """An open call goes on where it was left; one that was given up gets all its times anew."""
        rubric, reasks = call.rubric, self._settings.reasks
        unread = sum(reply.outcome == UNREADABLE for reply in replies)

        def chat(unread: int, _why: str) -> Chat:
            return rubric_chat(rubric, self._pictures(call), unread)

        def read(answer: Answer) -> Reading:
            return read_reply(answer.text, rubric.parts, answer.finish_reason, answer.refusal)

        return Question(
            call.key,
            rubric.prompt_hash,
            chat,
            read,
            kind=f"{rubric.axis.value} of {len(rubric.roles)}",
            schema=rubric.schema,
            images=call.images,
            repeat=call.repeat,
            asked=len(replies),
            unread=unread,
            times=1 + reasks - (unread if state_of(replies, reasks) == OPEN else 0),
        )

    def _pictures(self, call: Call) -> list[Picture]:
        """In the order of the rubric; raises ``InputError`` where one is missing or was changed."""
        pictures = {CANDIDATE: Picture(self._ws.images.read(call.candidate_id), "the candidate")}
        if set(call.rubric.roles) != {CANDIDATE}:
            pictures |= self._inputs(call.task)
        return [pictures[role] for role in call.rubric.roles]

    def _ids_of_inputs(self, task: Task) -> dict[str, str]:
        if task.id not in self._input_ids:
            self._input_ids[task.id] = {role: picture.id for role, picture in self._inputs(task).items()}
        return self._input_ids[task.id]

    def _inputs(self, task: Task) -> dict[str, Picture]:
        inputs = self._ws.task_inputs(task)
        found = {SOURCE: inputs.source, REFERENCE: inputs.reference}
        for role in _sc(self._ws.profile, task.type, task.prompt).roles:
            if role != CANDIDATE and found[role] is None:
                raise InputError(f"the task has no {role} picture to show to a judge")
        return {role: picture for role, picture in found.items() if picture is not None}


def rubrics(profile: ContestProfile, task: Task) -> tuple[Rubric, Rubric]:
    """SC and PQ of a task, with the sub-scores of the profile."""
    return _sc(profile, task.type, task.prompt), ask_pq(profile.score.pq_parts)


def rubrics_of(profile: ContestProfile) -> str:
    """Hash of all rubrics that this profile leads to, whatever the prompt."""
    hashes = [ask_pq(profile.score.pq_parts).prompt_hash]
    hashes += [_sc(profile, kind, "prompt").prompt_hash for kind in sorted(profile.task_types)]
    return stable_hash(hashes)


def state_of(replies: Sequence[ReplyRow], reasks: int) -> str:
    """Whether a call is scored, unscored for good (``--retry-failed`` asks again), or still open.

    What the server never answered stays open; what could not be read is asked again ``reasks`` times.
    """
    outcomes = [reply.outcome for reply in replies]
    if SCORED in outcomes:
        return SCORED
    if REFUSED in outcomes or REJECTED in outcomes or outcomes.count(UNREADABLE) > reasks:
        return UNSCORED
    return OPEN


def judgement_of(judge: str, calls: Sequence[Call], replies: Mapping[str, Sequence[ReplyRow]]) -> Judgement | None:
    """What the replies to the calls about one candidate come to; None when none is scored.

    An axis of which no reply is scored is not judged. Every scored repeat counts, whatever became of the others.
    """
    values: dict[Axis, float] = {}
    parts: dict[str, float] = {}
    spread: dict[str, float] = {}
    for axis in (Axis.SC, Axis.PQ):
        scored = [s for call in calls if call.rubric.axis is axis for s in _scores(replies.get(call.key, ()))]
        if scored:
            said = {part: [scores[part] for scores in scored] for part in scored[0]}
            parts |= {part: median(numbers) for part, numbers in said.items()}
            spread |= {part: max(numbers) - min(numbers) for part, numbers in said.items() if len(numbers) > 1}
            values[axis] = float(smallest_part([parts[part] for part in said]))
    if not values:
        return None
    first = calls[0]
    return Judgement(
        first.task.id, first.candidate_id, judge, JUDGE, values.get(Axis.SC), values.get(Axis.PQ), parts, spread=spread
    )


def news(said: Judgement | None, standing: Judgement | None, at: str) -> Judgement | None:
    """The judgement to add, or None when it says nothing new; a correction carries its reason.

    What came from a table stays: it was put there by hand.
    """
    if said is None or (standing is not None and (standing.spread is None or _content(said) == _content(standing))):
        return None
    before = {} if standing is None else _values(standing)
    now = _values(said)
    corrected = any(now.get(name) != value for name, value in before.items())
    return replace(said, at=at, reason=MORE_REPLIES if corrected else None)


def mean_spread(judgements: Iterable[Judgement]) -> dict[str, float]:
    """Mean of (largest - smallest) by sub-score, over the candidates of which it was said more than once."""
    found: dict[str, list[float]] = {}
    for judgement in judgements:
        for part, width in (judgement.spread or {}).items():
            found.setdefault(part, []).append(width)
    return {part: fmean(widths) for part, widths in sorted(found.items())}


def binding_parts(judgements: Mapping[Key, Judgement], types: Mapping[str, TaskType]) -> dict[str, dict[str, int]]:
    """Task type to how often each sub-score was the smallest of all of its candidate, the one that rules."""
    found: dict[str, Counter[str]] = {}
    for (task_id, _), judgement in judgements.items():
        if judgement.sc is None or judgement.pq is None or len(judgement.parts) < 2:
            continue
        least = min(judgement.parts.values())
        ruling = [part for part, value in judgement.parts.items() if value == least]
        found.setdefault(types[task_id].value, Counter())[ruling[0] if len(ruling) == 1 else EQUAL] += 1
    return {k: dict(sorted(n.items(), key=lambda pair: (-pair[1], pair[0]))) for k, n in sorted(found.items())}


def _scores(replies: Sequence[ReplyRow]) -> list[Mapping[str, float]]:
    return [reply.scores for reply in replies if reply.outcome == SCORED][:1]


def _values(judgement: Judgement) -> dict[str, float]:
    axes = {"sc": judgement.sc, "pq": judgement.pq}
    return {**{name: value for name, value in axes.items() if value is not None}, **judgement.parts}


def _content(judgement: Judgement) -> tuple[dict[str, float], dict[str, float]]:
    return _values(judgement), dict(judgement.spread or {})


def _sc(profile: ContestProfile, kind: TaskType, prompt: str) -> Rubric:
    return ask_sc(kind, prompt, profile.task_types[kind].sc_parts)
