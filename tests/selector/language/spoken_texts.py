"""What the program may say to people, as templates, read from its source and its commands.

``python -m tests.selector.language.spoken_texts`` prints what the Chinese catalogue lacks, ready to be filled in, and
``--unused`` what it has and nothing says.
"""

from __future__ import annotations

import ast
import functools
import re
import sys
from collections.abc import Iterator, Sequence, Set
from itertools import product
from pathlib import Path

import click

from selector.cli.main import group
from selector.language._catalogue import meanings
from selector.language._template import forms
from selector.weights import all_models

ROOT = Path(__file__).resolve().parents[3]
ERRORS = {
    "InputError", "InputProblems", "SubmissionError", "QuotaExceeded", "MissingPart", "NotThere", "Declined",
    "GenerationFailed", "OutOfResources", "OutOfBudget", "OutOfMoney", "Unanswered", "ModelBusy", "JudgeStopped",
    "ServiceStopped", "TicketLost", "LeaseLost", "BestshotError", "WrongCell", "UsageError", "TooMuch", "TooSlow",
    "Busy", "LessonWaits", "NoPicture", "NoTask", "error_line", "_error",
}  # fmt: skip
LOGS = ("_log.", "logger.", "log.", "logging.")
UNSAID = {  # whose arguments are said elsewhere (help), or to developers
    "verb", "command", "option", "argument", "Field", "ValueError", "TypeError", "AssertionError", "getLogger",
    "compile",
}  # fmt: skip
SPOKEN = (ast.JoinedStr, ast.IfExp, ast.Constant, ast.BinOp, ast.BoolOp)
TABLES = ("table", "_budgeted")  # their second argument is a header, as is what is called so
UNSCORED = ("unscored", "_unscored")  # what makes a reason that `status` lists
GATES = ("_gate",)  # what the gate asks for completes a reason
TELLING = (  # modules all of whose sentences people may read: what they print, or what a result of theirs says
    "selector/advice",
    "selector/cli",
    "selector/config",
    "selector/contest",
    "selector/create.py",
    "selector/doctor.py",
    "selector/live.py",
    "selector/campaign.py",
    "selector/status.py",
    "selector/domain/resources.py",
    "selector/submit/verify.py",
    "selector/submit/submissions.py",
    "selector/submit/ledger.py",
    "selector/submit/totals.py",
    "selector/submit/export.py",
    "selector/learn/estimates.py",
    "selector/learn/plan_submission.py",
    "selector/learn/holding.py",
    "selector/advice",
    "selector/decide",
    "selector/store/file_versions.py",
    "selector/tables/contest.py",
    "selector/generate",
    "selector/measure/scoring.py",
    "selector/measure/scored.py",
    "selector/measure/realism.py",
    "selector/measure/importing.py",
    "selector/llm/_troubles.py",
    "selector/llm/_stopping.py",
    "selector/demo/run.py",
    "selector/review/_state_view.py",
)
NOT_FOR_PEOPLE = (  # whose sentences are for models, files or regular expressions; what they raise counts all the same
    "cli/_language.py",
    "contest/_near_words.py",
    "config/_campaign_config.py",
    "demo/play/contest.py",
    "llm/_claim_words.py",
    "llm/_reading_orders.py",
    "llm/_rubrics.py",
    "llm/_tokens.py",
    "wording/_orders.py",
)
COUNTED = "{n}"  # in what is extracted: a count and its noun, as "3 tasks"
HELD = re.compile(r"\{[=w#n]?\}")
_NAMED = re.compile(r"\{[a-z_]+\}")  # of a text that is filled in later
COMMAND = re.compile(r"bestshot [a-z]+[^:;]*$")  # kept as it is
_NUMERIC = re.compile(r"^[+,]*\.?\d*[dfge%]$|^,$")
_MOST = 8  # texts of one expression with alternatives


def neutral(template: str) -> str:
    """The template whatever its holes take: who writes the catalogue may narrow them."""
    return HELD.sub("{}", template)


def help_texts(command: click.Command = group) -> Iterator[str]:
    """Every text of a command's help, and of those below it."""
    for paragraph in (command.help or "").split("\n\n"):
        if paragraph.lstrip().startswith("\b"):
            lines = [line.strip() for line in paragraph.split("\n")[1:]]
            yield from lines[:1] if lines[0] == "Example:" else (line for line in lines if "  " in line or ":" in line)
        else:
            yield " ".join(paragraph.split())
    if command.short_help:
        yield command.short_help
    yield from (p.help for p in command.params if isinstance(p, click.Option) and p.help)
    for below in getattr(command, "commands", {}).values():
        yield from help_texts(below)


def raised(path: Path) -> Iterator[str]:
    """The messages of errors that a module raises or makes to be raised, and what their functions put into them."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    calls = [n for n in ast.walk(tree) if isinstance(n, ast.Call) and _is_error(n)]
    yield from (text for call in calls for argument in call.args for text in sentences(argument))
    for function in (n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef)):
        errors = [n for n in ast.walk(function) if isinstance(n, ast.Call) and _is_error(n)]
        holes = [n for call in errors for n in ast.walk(call) if isinstance(n, ast.FormattedValue)]
        names = {n.value.id for n in holes if isinstance(n.value, ast.Name)}
        for node in ast.walk(function):
            if (
                isinstance(node, ast.Assign)
                and ast.unparse(node.targets[0]) in names
                and isinstance(node.value, SPOKEN)
            ):
                yield from sentences(node.value)


def _is_error(call: ast.Call) -> bool:
    return _name_of(call) in (*ERRORS, *UNSCORED, *GATES)


def _name_of(call: ast.Call) -> str:
    """Of what is called, without its module or object; "" where that has none."""
    return str(getattr(call.func, "attr", getattr(call.func, "id", "")))


def named(path: Path) -> Iterator[str]:
    """The sentences that a module's functions return, and those of its constants: others make messages of them."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        is_constant = isinstance(node, ast.Assign) and ast.unparse(node.targets[0]).isupper()
        if (isinstance(node, ast.Return) and isinstance(node.value, SPOKEN)) or is_constant:
            yield from sentences(node.value)


def told(path: Path) -> Iterator[str]:
    """Every sentence of a module but docstrings, notes of types, what developers read, and what goes to a log."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    inline = [node.value for node in ast.walk(tree) if isinstance(node, ast.FormattedValue)]
    stack: list[ast.AST] = [tree]
    while stack:
        node = stack.pop()
        if isinstance(node, ast.Call) and _name_of(node) == "n_of":
            yield from (text for text in _counted(node) if node not in inline or _is_noun(text))
            stack.append(node.args[0])
            continue
        if isinstance(node, (ast.JoinedStr, ast.Constant, ast.BinOp)) and (found := list(sentences(node))):
            yield from found
            stack += [n for n in ast.walk(node) if isinstance(n, (ast.Call, ast.IfExp)) and n is not node]
            continue
        if isinstance(node, ast.Call):
            yield from _of_call(node)
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "header":
            yield from _words(node.value)
        stack += [child for child in ast.iter_child_nodes(node) if not _is_unsaid(child, node)]


def _of_call(call: ast.Call) -> Iterator[str]:
    if _name_of(call) in TABLES and len(call.args) > 1:
        yield from _words(call.args[1])


def _words(header: ast.AST) -> Iterator[str]:
    """The columns of a table."""
    cells = (e.value for e in getattr(header, "elts", ()) if isinstance(e, ast.Constant) and isinstance(e.value, str))
    told = (cell for cell in cells if re.search("[a-z]{2}", cell))
    yield from (cell if " " in cell else f"column: {cell}" for cell in told)  # one word may be anybody's name


def _counted(call: ast.Call) -> Sequence[str]:
    """ "{#} {task|tasks}" of ``n_of(n, "task")``."""
    ones = ["{}"] if isinstance(call.args[1], ast.Name) else _texts(call.args[1])
    manys = _texts(call.args[2]) if len(call.args) > 2 else [one + "s" for one in ones]
    return [f"{{#}} {{{one}|{many}}}" for one, many in zip(ones, manys, strict=True)]


def _is_noun(counted: str) -> bool:
    """Whether it counts a thing in one word, which is translated by itself wherever it stands."""
    return " " not in counted.removeprefix("{#} {").partition("|")[0]


def _is_unsaid(child: ast.AST, parent: ast.AST) -> bool:
    if isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant):
        return True  # a docstring
    if isinstance(parent, (ast.FunctionDef, ast.AnnAssign, ast.arg)) and child in (
        *getattr(parent, "decorator_list", ()), getattr(parent, "annotation", None), getattr(parent, "returns", None),
    ):  # fmt: skip
        return True
    if isinstance(child, ast.Call):
        name = ast.unparse(child.func)
        return name.startswith(LOGS) or name.split(".")[-1] in UNSAID
    return False


def sentences(node: ast.AST) -> Iterator[str]:
    """The templates that an expression may give; nothing where it is no text, or one word."""
    for text in _texts(node):
        text = re.sub(r"(\{n?\}){2,}", "{}", text)
        for line in text.split("\n"):
            if (
                " " in line.strip()
                and not COMMAND.match(line.strip())
                and re.search("[A-Za-z]{2}", HELD.sub("", line))
                and len(HELD.sub("", line)) > 4
            ):
                yield line.strip()


def _texts(node: ast.AST) -> Sequence[str]:
    """All that an expression can say, with holes where that depends on what is known later."""
    if isinstance(node, ast.Constant):
        return [_NAMED.sub("{}", node.value)] if isinstance(node.value, str) else ["{}"]
    if isinstance(node, ast.IfExp):
        return [*_texts(node.body), *_texts(node.orelse)]
    if isinstance(node, ast.BoolOp):
        return [text for value in node.values for text in _texts(value) if text != "{}"] or ["{}"]
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return ["".join(pair) for pair in product(_texts(node.left), _texts(node.right))][:_MOST]
    if isinstance(node, ast.JoinedStr):
        return ["".join(parts) for parts in product(*map(_part, node.values))][:_MOST]
    return ["{}"]


def _part(node: ast.AST) -> Sequence[str]:
    if isinstance(node, ast.Constant):
        return [node.value]
    if not isinstance(node, ast.FormattedValue):
        return ["{}"]
    if isinstance(node.value, ast.Call) and ast.unparse(node.value.func) == "n_of":
        counted = _counted(node.value)
        return [COUNTED] if _is_noun(counted[0]) else counted
    if node.conversion == ord("r"):
        return ["{=}"]
    if node.format_spec is not None and _NUMERIC.match(ast.unparse(node.format_spec)[2:-1]):
        return ["{#}"]
    if isinstance(node.value, ast.IfExp) and not any(isinstance(n, ast.Name) for n in _ends(node.value)):
        return list(_texts(node.value))
    return ["{#}"] if isinstance(node.value, ast.Call) and ast.unparse(node.value.func) in ("len", "sum") else ["{}"]


def _ends(node: ast.IfExp) -> Sequence[ast.AST]:
    return [node.body, node.orelse]


def sources() -> list[Path]:
    """The modules whose errors a user may see."""
    rooms = [p for room in ("selector", "generators", "scorers") for p in sorted((ROOT / room).rglob("*.py"))]
    return [p for p in rooms if "conformance" not in p.parts]


@functools.cache
def all_texts() -> dict[str, str]:
    """Every template to where it comes from, the first place of each."""
    found: dict[str, str] = {}
    for text in help_texts():
        found.setdefault(text, "help")
    for path in sources():
        place = path.relative_to(ROOT).as_posix()
        for_people = not place.endswith(NOT_FOR_PEOPLE)
        texts = [*raised(path), *(named(path) if for_people else ())]
        texts += told(path) if for_people and place.startswith(TELLING) else ()
        for text in texts:
            found.setdefault(text, place)
    for model in all_models():
        found.setdefault(model.note, "selector/weights/catalogue.toml")
    return found


def missing(language: str) -> dict[str, str]:
    """What the language's catalogue lacks: template to place."""
    there = {neutral(form) for english in meanings(language) for form in forms(english)}
    return {
        text: place
        for text, place in all_texts().items()
        if neutral(text) not in UNSEEN and not all(_is_known(neutral(form), there) for form in forms(text))
    }


def _is_known(form: str, there: Set[str]) -> bool:
    """Whether it is said by itself, or as the end of what stands before it."""
    return form in there or (form[0] in ",;:" and "{}" + form in there)


UNSEEN = frozenset(
    neutral(line)
    for line in (Path(__file__).parent / "unseen.txt").read_text(encoding="utf-8").splitlines()
    if line and not line.startswith("#")
)


def unused(language: str) -> list[str]:
    """What the catalogue holds and no source says in these words; some is there for pieces of a text."""
    said = {neutral(form) for text in all_texts() for form in forms(text)}
    return [text for text in meanings(language) if not any(neutral(form) in said for form in forms(text))]


def main() -> None:
    if "--unused" in sys.argv:
        print("\n".join(unused("zh")))
        return
    place = ""
    for text, where in missing("zh").items():
        if where != place:
            print(f"\n# {where}")
            place = where
        quoted = text.replace(COUNTED, "{}").replace("\\", "\\\\").replace('"', '\\"')
        print(f'"{quoted}" = ""')


if __name__ == "__main__":
    sys.exit(main())
