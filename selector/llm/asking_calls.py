"""What a judge is to be asked of a candidate: one call a question and repeat, each known by its key."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from selector.config import JudgeConfig
from selector.contest.profile import ContestProfile
from selector.domain import InputError, Picture, Task, TaskType, stable_hash
from selector.llm import REFUSED, SCORED, UNREADABLE, Question, ask_pq, ask_sc
from selector.llm.client import REJECTED
from selector.llm.rubrics import CANDIDATE, REFERENCE, SOURCE
from selector.store.replies import ReplyRow
from selector.workspace.workspace import Workspace

Key = tuple[str, str]  # task id, candidate id
OPEN, UNSCORED = "open", "unscored"


@dataclass(frozen=True)
class Call:
    """One question about one candidate, to be asked once for each ``repeat``; ``images``: ids in the order shown.

    Equal keys are equal requests: the same model, provider, words, sampling, pictures and repeat.
    """

    key: str
    task: Task
    candidate_id: str
    question: Question
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
        self._sc: dict[str, Question] = {}

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
            for question in (self._sc[task.id], self._pq):
                images = tuple(ids[role] for role in question.roles)
                sampling = [settings.temperature, settings.seed]
                identity = [self._provider, settings.model, question.prompt_hash, sampling, list(images), repeat]
                found.append(Call(stable_hash(identity, 40), task, candidate_id, question, images, repeat))
        return found

    def pictures(self, call: Call) -> list[Picture]:
        """The call's pictures in the order of its question.

        Raises:
            InputError: one is missing or was changed.
        """
        pictures = {CANDIDATE: Picture(self._ws.images.read(call.candidate_id), "the candidate")}
        if set(call.question.roles) != {CANDIDATE}:
            pictures |= self._inputs(call.task)
        return [pictures[role] for role in call.question.roles]

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


def questions(profile: ContestProfile, task: Task) -> tuple[Question, Question]:
    """SC and PQ of a task, with the sub-scores of the profile."""
    return _sc(profile, task.type, task.prompt), ask_pq(profile.score.pq_parts)


def rubrics_of(profile: ContestProfile) -> str:
    """Hash of all questions that this profile leads to, whatever the prompt."""
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


def _sc(profile: ContestProfile, kind: TaskType, prompt: str) -> Question:
    return ask_sc(kind, prompt, profile.task_types[kind].sc_parts)
