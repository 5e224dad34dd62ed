"""Prompts in other words, as variants of a generator: written once by a language model, kept in the store.

The model is that of ``[judges.NAME]`` which ``prompt_writer`` in ``[generate]`` names; its rate, retries and budget are
those of the table. The task's own prompt is never changed: a style is a way to show it to a generator.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from selector.domain import Declined, InputError, MissingPart, Task, TaskType
from selector.domain.progress import Progress, silent
from selector.domain.words import near_or_all
from selector.llm._asking import Summary
from selector.llm._endpoint import provider_of
from selector.llm._replies import CUT_AGAIN
from selector.llm._session import ModelBusy, alone_with, judge_settings, open_session
from selector.llm._texts import Source, Text, Writing
from selector.llm._troubles import JudgeStopped
from selector.net import Spending
from selector.prompts.quotes import take_quotes
from selector.prompts.wording import AS_IS, PROMPT_STYLES, SUFFIX, TRANSLATED, form_for, needs_writer, with_suffix
from selector.sight.embedding.texts import is_latin
from selector.store.replies import REFUSED, UNREADABLE, WRITTEN, PromptText, load_prompt_texts
from selector.workspace.plug_ins import USUAL_TABLE, read_translations
from selector.workspace.workspace import Workspace

__all__ = ["PROMPT_STYLES", "PromptBook", "PromptSummary", "PromptWish", "needs_writer", "prepare_prompts"]


@dataclass(frozen=True)
class PromptWish:
    """A prompt that will be needed: a task's, in this style, in the form that a generator states ("" for none)."""

    task: Task
    style: str
    form: str = ""


@dataclass
class PromptSummary(Summary):
    """How many texts a model had to write, how many it has written, and why others are missing, with how often."""

    needed: int = 0
    known: int = 0  # answered before this run, with a text or without
    new: int = 0


def prepare_prompts(
    ws: Workspace,
    wanted: Sequence[PromptWish],
    progress: Progress = silent,
    retry_failed: bool = False,
    purse: Spending | None = None,
) -> PromptSummary:
    """Have the model write what is wanted and not there yet; what came is stored, however the run ends.

    Without a writer, and where the model gave up, another process asks it or the budget is used, ``stopped`` says why:
    the other styles can go on, and ``PromptBook`` tells the same of each text. ``retry_failed``: ask again also for
    what the model refused, or answered in a way that cannot be used. ``purse``: money of the run, which it shares.

    Raises:
        InputError: unknown style or form, no such table, its key is not set, or it has a budget and no price.
    """
    book = PromptBook(ws)
    sources = list(dict.fromkeys(s for w in wanted if (s := book.source_of(w.task, w.style, w.form)) is not None))
    summary = PromptSummary(len(sources))
    if not sources:
        return summary
    name = ws.config.generate.prompt_writer
    if not name:
        summary.stopped = _NO_WRITER
        return summary
    missing = book.missing(sources, retry_failed)
    if missing:
        settings = judge_settings(ws, name)
        left = None if purse is None or settings.is_free else purse.left()
        if left is not None and (left <= 0 or not settings.is_priced):
            summary.stopped = _NO_MONEY if settings.is_priced else _NO_PRICE.format(name=name)
            summary.known = len(sources) - len(missing)
            return summary
        try:
            with alone_with(ws, settings) as stop:
                missing = book.missing(sources, retry_failed)  # a process that has just ended may have asked
                run = _Prompting(open_session(ws, name, stop, left), summary)
                try:
                    run.carry_out(run.questions(missing, times=1 + settings.reasks), len(missing), progress)
                finally:
                    if left is not None and purse is not None:
                        purse.settle(0.0, summary.cost or 0.0)
        except (ModelBusy, JudgeStopped) as error:
            summary.stopped = str(error)
    summary.known = len(sources) - len(missing)
    return summary


class PromptBook:
    """Tells the text of a prompt in a style; reads the store alone. Safe for threads."""

    def __init__(self, ws: Workspace) -> None:
        self._ws = ws
        table = ws.folder / (ws.config.embedding.translations_path or USUAL_TABLE)
        self._translations: Mapping[str, str] = read_translations(table) if table.is_file() else {}

    def text(self, task: Task, style: str, form: str = "", most_characters: int = 0) -> str:
        """The prompt of a task in this style; it may be the prompt itself, say where it is in English already.

        Args:
            form: what the generator states as its ``prompt_form``, "" for the usual of the task's type.
            most_characters: after which the generator cuts, 0 for never; the suffix is made to fit.

        Raises:
            Declined: there is no such variant: the model refused, its answers cannot be used, or there is no prompt.
            MissingPart: no writer is configured, or it has not written this text; the message names the cure.
            InputError: no such style, form or table of a judge.
        """
        _check_style(style)
        form_for(form, task.type)
        if style == AS_IS:
            return task.prompt
        if not _has_prompt(task):
            raise Declined(f"the task has no prompt, so there is none in the style '{style}'")
        if style == SUFFIX:
            return with_suffix(task.prompt, task.type, most_characters)
        source = self.source_of(task, style, form)
        if source is not None:
            return self._written(source)
        return self._translations.get(task.prompt.strip(), task.prompt) if style == TRANSLATED else task.prompt

    def source_of(self, task: Task, style: str, form: str = "") -> Source | None:
        """What a model has to be asked for; None where nobody has to be asked."""
        _check_style(style)
        form = form_for(form, task.type)
        if not needs_writer(style) or not _has_prompt(task):
            return None
        original = task.prompt.strip()
        if style == TRANSLATED:
            if is_latin(original) or original in self._translations:
                return None
            form = form_for("", task.type)  # a translation is the same for all of them
        return Source(style, form, task.type, original, self._unquoted(task))

    def _unquoted(self, task: Task) -> tuple[str, ...]:
        """Texts to be shown that only the task's reading knows: what stands in quotes is minded anyway."""
        reading = self._ws.readings.of(task.id)
        if reading is None:
            return ()
        edit = reading.text_edit
        shown = (*reading.texts, *(text for text in (edit and edit.old, edit and edit.new) if text))
        quoted = {text for text, _ in take_quotes(task.prompt)[1]}
        return tuple(text for text in shown if text not in quoted)

    def missing(self, sources: Sequence[Source], retry_failed: bool = False) -> dict[Source, int]:
        """Those that the configured model has not answered, with how often it was asked for them; with
        ``retry_failed`` all without a text."""
        keys = {source: self._key(source) for source in sources}
        with self._ws.db.read() as connection:
            known = load_prompt_texts(connection, keys.values())
        done = {
            key for key, text in known.items() if text.outcome == WRITTEN or (self._is_final(text) and not retry_failed)
        }
        return {source: known[key].ask + 1 if key in known else 0 for source, key in keys.items() if key not in done}

    def _written(self, source: Source) -> str:
        if not self._ws.config.generate.prompt_writer:
            raise MissingPart(_NO_WRITER)
        key = self._key(source)
        with self._ws.db.read() as connection:
            found = load_prompt_texts(connection, [key]).get(key)
        if found is not None and found.outcome == WRITTEN:
            return found.text
        if found is not None and self._is_final(found):
            raise Declined(f"{found.model} wrote no prompt in the style '{source.style}': {found.reason}")
        why = f" ({found.reason})" if found is not None and found.reason else ""
        raise MissingPart(f"the prompt is not written in the style '{source.style}' yet{why}: run the command again")

    def _is_final(self, text: PromptText) -> bool:
        """Whether another run would meet the same: a refusal, or answers without a text as often as it is asked."""
        settings = judge_settings(self._ws, self._ws.config.generate.prompt_writer)
        given_up = text.ask >= settings.reasks or text.reason == CUT_AGAIN
        return text.outcome == REFUSED or (text.outcome == UNREADABLE and given_up)

    def _key(self, source: Source) -> str:
        settings = judge_settings(self._ws, self._ws.config.generate.prompt_writer)
        return source.key(provider_of(settings.base_url), settings.model)


class _Prompting(Writing):
    """One run of a model over the missing texts."""

    stage = "prompts"
    summary: PromptSummary

    def take(self, text: Text, written: str) -> None:
        del text, written
        self.summary.new += 1

    def withdraw(self, text: Text) -> None:
        del text
        self.summary.new -= 1


_NO_WRITER = (
    'the prompt styles translated and rewritten need a language model: set `prompt_writer = "NAME"` in [generate], and '
    "its address in [judges.NAME] (see docs/prompts.md)"
)
_NO_MONEY = "the budget of this run leaves no money for a language model"
_NO_PRICE = "a budget needs price_in and price_out in [judges.{name}]: what a call costs is not known"


def _check_style(style: str) -> None:
    if style not in PROMPT_STYLES:
        raise InputError(f"there is no prompt style '{style}'{near_or_all(style, PROMPT_STYLES)}")


def _has_prompt(task: Task) -> bool:
    return task.type is not TaskType.DEEPFAKE and bool(task.prompt.strip())
