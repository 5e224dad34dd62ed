"""What a judge is asked about a candidate, and what its replies come to: means over passes, and their spread."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from selector.config import JudgeConfig
from selector.contest.profile import ContestProfile
from selector.contest.score import smallest_part
from selector.domain import Axis, InputError, Picture, Task, TaskType, stable_hash
from selector.llm._answers import Answer
from selector.llm._asking import REJECTED, Question
from selector.llm._replies import CUT_AGAIN, REFUSED, SCORED, TRUNCATED, UNREADABLE, Reading, read_answer
from selector.llm._request import Chat, rubric_chat
from selector.llm._rubrics import CANDIDATE, REFERENCE, SOURCE, Rubric, ask_pq, ask_sc
from selector.store.observations import JUDGE, Judgement, Pass
from selector.store.replies import ReplyRow, standing, withdrawn_as
from selector.workspace.workspace import Workspace

Key = tuple[str, str]  # task id, candidate id
OPEN, UNSCORED = "open", "unscored"
OTHER_PASSES = "mean over other passes"
EQUAL = "several alike"


@dataclass(frozen=True)
class Call:
    """One rubric about one candidate in one pass, the ``repeat``-th from 0; ``images``: ids in the order shown.

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

    def about(self, task: Task, candidate_id: str, passes: int) -> list[Call]:
        """All calls about a candidate, pass by pass.

        Raises:
            InputError: an input picture of the task is missing.
        """
        settings = self._settings
        ids = {**self._ids_of_inputs(task), CANDIDATE: candidate_id}
        if task.id not in self._sc:
            self._sc[task.id] = _sc(self._ws.profile, task.type, task.prompt)
        found = []
        for repeat in range(passes):
            for rubric in (self._sc[task.id], self._pq):
                images = tuple(ids[role] for role in rubric.roles)
                sampling = [settings.temperature, settings.seed]
                identity = [self._provider, settings.model, rubric.prompt_hash, sampling, list(images), repeat]
                found.append(Call(stable_hash(identity, 40), task, candidate_id, rubric, images, repeat))
        return found

    def question(self, call: Call, replies: Sequence[ReplyRow]) -> Question:
        """An open call goes on where it was left; one that was given up gets all its times anew."""
        rubric, reasks, now = call.rubric, self._settings.reasks, standing(replies)
        unread = _unread(now)

        def chat(unread: int, _why: str) -> Chat:
            return rubric_chat(rubric, self._pictures(call), unread)

        def read(answer: Answer) -> Reading:
            return read_answer(answer, rubric.parts)

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
            cut=any(reply.reason == TRUNCATED for reply in now),
            withdrawn=withdrawn_as(replies),
        )

    def _pictures(self, call: Call) -> list[Picture]:
        """In the order of the rubric; raises ``InputError`` where one is missing or was changed."""
        pictures = {CANDIDATE: Picture(self._ws.images.picture(call.candidate_id).data, "the candidate")}
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

    What the server never answered stays open, as does what a run withdrew; what could not be read is asked again
    ``reasks`` times.
    """
    if any(reply.outcome == SCORED for reply in replies):
        return SCORED
    now = standing(replies)
    given_up = any(reply.outcome in (REFUSED, REJECTED) or reply.reason == CUT_AGAIN for reply in now)
    return UNSCORED if given_up or _unread(now) > reasks else OPEN


def _unread(replies: Sequence[ReplyRow]) -> int:
    """How many could not be read; one that was cut off is asked for again with more tokens, and not counted."""
    return sum(reply.outcome == UNREADABLE and reply.reason != TRUNCATED for reply in replies)


def judgement_of(judge: str, calls: Sequence[Call], replies: Mapping[str, Sequence[ReplyRow]]) -> Judgement | None:
    """What the replies to the calls about one candidate come to; None when none is scored.

    An axis of which no reply is scored is not judged. Every scored pass counts, whatever became of the others.
    """
    said: dict[int, dict[Axis, Mapping[str, float]]] = {}
    for call in calls:
        for scores in _scores(replies.get(call.key, ())):
            said.setdefault(call.repeat + 1, {})[call.rubric.axis] = scores
    if not said:
        return None
    passes = [_pass(number, axes) for number, axes in said.items()]
    blank = Judgement(calls[0].task.id, calls[0].candidate_id, judge, JUDGE, None, None, spread=_spread(passes))
    return blank.over(passes)


def _pass(number: int, said: Mapping[Axis, Mapping[str, float]]) -> Pass:
    sc, pq = (float(smallest_part(list(said[a].values()))) if a in said else None for a in (Axis.SC, Axis.PQ))
    return Pass(number, sc, pq, {**said.get(Axis.SC, {}), **said.get(Axis.PQ, {})})


def _spread(passes: Iterable[Pass]) -> dict[str, float]:
    """Largest minus smallest of every sub-score that several passes tell."""
    numbers: dict[str, list[float]] = {}
    for one in passes:
        for part, value in one.parts.items():
            numbers.setdefault(part, []).append(value)
    return {part: max(values) - min(values) for part, values in numbers.items() if len(values) > 1}


def news(said: Judgement | None, standing: Judgement | None, at: str) -> Judgement | None:
    """The judgement to add, or None when it says nothing new. What came from a table stays: it was put there by hand.

    A further pass is no correction and needs no reason; that other passes count now than before is one.
    """
    if said is None or (standing is not None and (standing.spread is None or standing.looks == said.looks)):
        return None
    before = () if standing is None else standing.looks
    now = {one.number: one.values for one in said.looks}
    kept = all(one.values.items() <= now.get(one.number, {}).items() for one in before)
    return replace(said, at=at, reason=None if kept else OTHER_PASSES)


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


def _sc(profile: ContestProfile, kind: TaskType, prompt: str) -> Rubric:
    return ask_sc(kind, prompt, profile.task_types[kind].sc_parts)
