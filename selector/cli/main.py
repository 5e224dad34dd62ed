"""The group of verbs, and how errors end the program: one line on stderr, exit 2; ``--debug`` shows the traceback.

With ``--json`` the line is also on stdout, as ``{"error": "…"}``, with ``needs`` where an option goes on.
"""

from __future__ import annotations

import atexit
import gc
import os
import signal
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

import click

from selector import __version__
from selector.cli._campaigns_verb import campaigns
from selector.cli._contest_verbs import export, quota, record, verify
from selector.cli._decide_verbs import exclude, include, note, pin
from selector.cli._import_scores_verb import import_scores
from selector.cli._judge_verbs import judge, read, translate
from selector.cli._language import SpokenContext, silence_libraries, speak, tell, tell_error
from selector.cli._learn_verbs import calibrate, explain, plan
from selector.cli._make_verbs import demo, generate, import_, init, pick, score
from selector.cli._next_verb import next_
from selector.cli._prune_verb import prune
from selector.cli._review_verb import review
from selector.cli._scores_verb import scores
from selector.cli._select_verb import select
from selector.cli._show_verbs import doctor, realism, report, status
from selector.cli._team_verbs import backup, merge
from selector.cli._weights_verbs import weights
from selector.cli.common import Printed, emit, verbose_option
from selector.domain import DISK_FULL, BestshotError, shortage
from selector.domain.errors import InputProblems, bounded
from selector.domain.interruption import forget_interruption, note_interruption

INTERRUPTED, TERMINATED = 130, 143
_OUTPUT_LOST = 120  # Python's own code for it
_MOST_PROBLEMS = 10  # of an input, a line each
_GARBAGE_AFTER = 50_000  # new objects: imports make many that stay, and looking through them takes a tenth of the time


class OrderedGroup(click.Group):
    """Lists verbs in the order of the work, not of the alphabet; helps in the language of people."""

    context_class = SpokenContext

    def add_command(self, cmd: click.Command, name: str | None = None) -> None:
        speak(cmd)
        super().add_command(cmd, name)

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return list(self.commands)


@click.group(cls=OrderedGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="bestshot")
@verbose_option
def group() -> None:
    """Pick the best of N generated images for every task of a contest, and export one valid submission.

    \b
    The work, in order:
      bestshot demo                  the whole loop, offline, on pictures that are installed already
      bestshot init my-campaign --profile tianchi-532389 --tasks task.csv --images imgs/
      cd my-campaign
      bestshot read --by NAME        have a model of yours read the prompts: scorers and text edits understand more
      bestshot next                  what to do now, and why; --do does it until you are needed
      bestshot generate              make candidates        bestshot import FOLDER  take finished images
      bestshot score                 measure them           bestshot plan           the next submission, or HOLD
      bestshot export                write the ZIP          bestshot verify ZIP     check every rule of the contest
      bestshot record ID --score 1.63                       bestshot calibrate      what the totals taught
      bestshot pick                  the best known picks   bestshot explain TASK   why this one
      bestshot review                look and decide in a browser
      bestshot exclude --candidate ID --reason "…"   never pick this one (include takes it back; pin, note)
      bestshot report                a page with every candidate, to share
      bestshot judge FILE --by NAME  take a judge's scores of single candidates
      bestshot import-scores TABLE   take scores that another tool computed
      bestshot prune                 what the pictures take, and the deletion of what nothing needs
      bestshot scores --out FILE     every candidate with its scores, as a table
      bestshot select SCORES.csv     pick from any table of scores, without a campaign
      bestshot weights list          the models that scorers can use, and how to have them
      bestshot merge FOLDER          take over what a colleague's campaign of the contest holds
      bestshot backup FILE.zip       the campaign as one file; `init FOLDER --from FILE.zip` restores it
    """


_MAKING = (demo, init, read, translate, generate, import_, score, import_scores, pick, export, verify, record, quota)
_DECIDING = (exclude, include, pin, note)
_LOOKING = (explain, review, scores, select, realism, status, campaigns, prune, report, doctor, weights)
for _verb in (*_MAKING, next_, *_DECIDING, judge, calibrate, plan, *_LOOKING):
    group.add_command(_verb)
for _verb in (merge, backup):
    group.add_command(_verb)


def program(arguments: Sequence[str] | None = None) -> NoReturn:
    """The command line as the whole of a process: it ends with the verb's exit code, whatever threads still do.

    Python's own end takes the memory down while daemon threads run: one within a model has C++ abort the process then,
    with a message and a code of its own. So the last function at exit ends it. Threads that Python waits for have ended
    by then, and the other functions at exit have run; what is still open, as a plug-in may leave a file, is not closed.
    """
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # closed by who started this
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115 - for the whole process
    silence_libraries()
    code = 1  # of an error that `--debug` shows
    try:
        main(arguments)
    except KeyboardInterrupt:  # once more, while the first was told
        _leave(INTERRUPTED)
    except _Interruption as error:
        _leave(error.code)  # nobody waits for threads that may hang
    except SystemExit as error:  # a plug-in may exit with words
        code = error.code if isinstance(error.code, int) else int(error.code is not None)
        raise
    finally:
        atexit.register(_leave_at_exit, code)


def _leave_at_exit(code: int) -> None:
    """To be registered last, and so called first: runs all others before it leaves (there is no public way to)."""
    atexit.unregister(_leave_at_exit)
    try:
        atexit._run_exitfuncs()
    finally:
        _leave(code)


def _leave(code: int) -> NoReturn:
    try:
        sys.stdout.flush()
    except (BrokenPipeError, ValueError):
        pass  # nobody reads it any more, or it was closed
    except OSError as error:
        code = code or _OUTPUT_LOST
        with suppress(OSError):
            tell(f"bestshot: the output is not whole ({error.strerror or error})")
    finally:
        with suppress(BaseException):
            sys.stderr.flush()
        os._exit(code & 0xFF)


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line, by default on the words of this process, and raise ``SystemExit`` with its code."""
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")  # to look for them takes a tenth of a small verb
    usual = gc.get_threshold()
    gc.set_threshold(_GARBAGE_AFTER)
    argv = list(sys.argv[1:] if arguments is None else arguments) or ["--help"]
    debug = "--debug" in argv
    people = "--json" not in argv
    printed = Printed(document=people, for_people=people)  # where no JSON is wanted, an error prints none
    before = _hear_signals()
    try:
        code = group.main(args=argv, prog_name="bestshot", standalone_mode=False, obj=printed)
        sys.exit(code if isinstance(code, int) else 0)
    except (click.exceptions.Abort, KeyboardInterrupt) as error:
        what = str(error.__cause__ or error) or "nothing is lost"
        tell_error(f"interrupted; {what}, run the same command again to go on", people)
        raise _Interruption(TERMINATED if isinstance(error.__cause__ or error, _Terminated) else INTERRUPTED) from None
    except click.UsageError as error:
        verb = error.ctx.command_path if error.ctx else "bestshot"
        _fail(f"{error.format_message()} See `{verb} --help`.", error.exit_code, printed)
    except click.ClickException as error:
        _fail(error.format_message(), 2, printed)
    except BestshotError as error:
        if debug:
            raise
        lacking = shortage(error)
        # Who writes a file says which disk is full; of all else that the machine lacks, the words would blame the file.
        message = str(error if lacking is None or str(lacking) == DISK_FULL else lacking)
        problems = error.problems if isinstance(error, InputProblems) and error.is_counting else ()
        _fail(message, 2, printed, error.needs, problems)
    except BrokenPipeError:
        sys.stderr.close()  # the reader of our output left, as `head` does
        sys.exit(0)
    except Exception as error:
        if debug:
            raise
        lacking = shortage(error)
        if lacking is not None:
            _fail(str(lacking), 2, printed)
        if isinstance(error, PermissionError) and error.filename:
            _fail(f"cannot read or write {error.filename} ({error.strerror}): check its permissions", 2, printed)
        if isinstance(error, UnicodeEncodeError) and error.encoding == sys.getfilesystemencoding() != "utf-8":
            _fail(f"this locale ({error.encoding}) has no bytes for the name of a file: set LC_ALL=C.UTF-8", 2, printed)
        _fail(f"unexpected {type(error).__name__}: {error}; `--debug` shows where, please report it", 1, printed)
    finally:
        gc.set_threshold(*usual)  # who calls this from a program of their own gets all back as it was
        for number, handler in before.items():
            signal.signal(number, handler)
        if before:
            forget_interruption()


class _Interruption(SystemExit):
    """After Ctrl-C or SIGTERM."""

    code: int


class _Terminated(KeyboardInterrupt):
    """``kill`` or the stop of a container: the run ends as by Ctrl-C, with all that is under way stored."""


def _hear_signals() -> dict[signal.Signals, Any]:
    """Have Ctrl-C and SIGTERM noted for threads that wait; returns the handlers that were there."""
    if threading.current_thread() is not threading.main_thread():
        return {}
    forget_interruption()
    before = {signal.SIGTERM: signal.signal(signal.SIGTERM, _terminate)}
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # else it is ignored, or somebody else's
        before[signal.SIGINT] = signal.signal(signal.SIGINT, _interrupt)
    return {number: handler for number, handler in before.items() if handler is not None}


def _terminate(_number: int, _frame: object) -> NoReturn:
    note_interruption(_tell_ending)
    raise _Terminated


def _interrupt(_number: int, _frame: object) -> NoReturn:
    note_interruption(_tell_ending)
    raise KeyboardInterrupt


def _tell_ending(line: str) -> None:
    """Below the bars, which the terminal has left with "^C"."""
    if sys.stderr is not None:
        tell(f"\n{line}" if sys.stderr.isatty() else line)


def _fail(message: str, code: int, printed: Printed, needs: str = "", problems: Sequence[str] = ()) -> NoReturn:
    """End with a line; ``problems``: all that is wrong where the line has only the first, of which some are shown."""
    line = tell_error(message, printed.for_people)
    each = [bounded(one) for one in problems]
    if printed.for_people:
        more = [f"… and {len(each) - _MOST_PROBLEMS} more"] if len(each) > _MOST_PROBLEMS else []
        for one in (*each[1:_MOST_PROBLEMS], *more):
            tell(f"  {' '.join(one.split())}")
    if not printed.document:
        also = {"needs": needs} if needs else {}
        with suppress(OSError):  # the line was told already
            emit({"error": line, **also, **({"problems": each} if each else {})}, "", as_json=True)
    sys.exit(code)
