"""Verbs for the files of models that scorers need: weights list, fetch, verify."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import click

from selector.cli._language import tell
from selector.cli.common import debug_option, emit, json_option, table, with_example
from selector.domain.words import size_words

if TYPE_CHECKING:
    from selector.weights import Model
    from selector.weights.hashes import FileCheck

_FAILED = 2


@click.group(
    "weights",
    short_help="List, fetch and verify the models that scorers need.",
    help=with_example(
        "List, fetch and verify the models that scorers need. They lie in the folder BESTSHOT_WEIGHTS, or in "
        "bestshot/weights of your cache folder. Every verb prints JSON with --json.",
        "bestshot weights fetch --all",
    ),
)
def weights() -> None:
    pass


@weights.command(
    "list",
    short_help="Every model, which scorers need it, and whether it is here.",
    help=with_example(
        "Every model that a scorer needs: its size, its licence, where it comes from, and whether it is here by "
        "existence and size (`weights verify` reads every byte). `weights fetch --all` leaves out the optional ones.",
        "bestshot weights list",
    ),
)
@json_option
@debug_option
def list_weights(as_json: bool) -> None:
    from selector.weights import all_models, weights_folder
    from selector.weights.place import folder_of, presence

    models = all_models()
    rows = [
        (
            model.name,
            presence(model).value if model.files else "by path",
            size_words(model.expected_bytes) if model.files else "",
            "optional" if model.optional else "",
            ", ".join(model.scorers) or "plug-ins",
            model.licence,
            model.source,
        )
        for model in models
    ]
    described = [
        {
            "name": model.name,
            "here": presence(model),
            "scorers": model.scorers,
            "licence": model.licence,
            "optional": model.optional,
            "bytes": model.expected_bytes,
            "source": model.source,
            "folder": folder_of(model),
            "note": model.note,
            "files": [{"name": f.name, "sha256": f.sha256, "bytes": f.size_bytes, "url": f.url} for f in model.files],
        }
        for model in models
    ]
    notes = [f"  {model.name}: {model.note}" for model in models if model.note]
    notes.append('  embedded: ships with the package; [embedding] model = "embedded" reads it; coloured shapes alone')
    text = [
        table(rows, ("name", "here", "size", "optional", "for the scorers", "licence", "source")),
        "",
        f"folder  {weights_folder()}",
        *notes,
    ]
    emit({"folder": weights_folder(), "models": described}, "\n".join(text), as_json)


@weights.command(
    "fetch",
    short_help="Bring models here, and check them.",
    help=with_example(
        "Bring models here, and check the SHA-256 of every file. After Ctrl-C or a lost connection, run the same "
        "command again: it goes on where it stopped. A mirror of the hub is named by HF_ENDPOINT, a token for gated "
        "models by HF_TOKEN. `open_clip:ARCHITECTURE/TAG` fetches any model that open_clip knows.",
        "bestshot weights fetch clip-vit-l-14 --from modelscope",
    ),
)
@click.argument("names", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="Every model that is not optional (see `weights list`).")
@click.option(
    "--from",
    "source",
    default="hub",
    show_default=True,
    metavar="SOURCE",
    help="hub, modelscope, a folder that holds the files under any name, or an http(s) URL (with / at its end: a "
    "folder of files).",
)
@click.option("--sha256", help="The hash of a model of one file for which none is published.")
@click.option("--again", is_flag=True, help="Fetch what is here already, too.")
@json_option
@debug_option
def fetch_weights(
    names: tuple[str, ...], everything: bool, source: str, sha256: str | None, again: bool, as_json: bool
) -> None:
    from selector.domain import BestshotError, OutOfResources
    from selector.weights import all_models, model_named
    from selector.weights.fetch import fetch
    from selector.weights.place import Here, presence

    if bool(names) == everything:
        raise click.UsageError("Name the models to fetch, or give --all.")
    wanted = [m for m in all_models() if not m.optional] if everything else [model_named(name) for name in names]
    done: list[dict[str, Any]] = []
    failed: list[str] = []
    for model in wanted:
        was_here = presence(model) is Here.YES and not again
        try:
            with _ByteBars() as show:
                path = fetch(model, source, show, sha256=sha256, again=again)
        except BestshotError as error:  # the others may still come
            if len(wanted) == 1 or isinstance(error, OutOfResources):
                raise
            failed.append(model.name)
            tell(f"bestshot: {error}")
            continue
        done.append({"name": model.name, "path": path, "was_here": was_here})
    lines = [f"{d['name']}  {'is here already' if d['was_here'] else 'fetched'}: {d['path']}" for d in done]
    emit({"fetched": done, "failed": failed}, "\n".join(lines), as_json)
    if failed:
        sys.exit(_FAILED)


@weights.command(
    "verify",
    short_help="Hash every file that is here.",
    help=with_example(
        "Hash every file that is here against the published SHA-256, or against the one that was noted when it was "
        "fetched. Exits with 2 if one is damaged, or if a model that was named is not here.",
        "bestshot weights verify clip-vit-l-14",
    ),
)
@click.argument("names", nargs=-1)
@json_option
@debug_option
def verify_weights(names: tuple[str, ...], as_json: bool) -> None:
    from selector.weights import all_models, model_named
    from selector.weights.hashes import Verdict, verify
    from selector.weights.place import Here, presence

    wanted: Sequence[Model] = [model_named(name) for name in names] or [
        model for model in all_models() if presence(model) is not Here.NO
    ]
    checks = [check for model in wanted for check in verify(model)]
    emit(checks, "\n".join(_verify_lines(checks)), as_json)
    if any(check.is_bad or (names and check.verdict is Verdict.MISSING) for check in checks):
        sys.exit(_FAILED)


def _verify_lines(checks: Sequence[FileCheck]) -> list[str]:
    from selector.weights.hashes import Verdict

    if not checks:
        return ["no weights are here: `bestshot weights list` shows what there is"]
    lines = [table([(c.model, c.path.name, c.verdict.value) for c in checks], ("model", "file", "verdict"))]
    if any(check.verdict is Verdict.UNKNOWN for check in checks):
        lines.append("no hash known: copied by hand, and nobody published one; fetch it once to have it checked")
    bad = dict.fromkeys(check.model for check in checks if check.is_bad)
    lines += [f"damaged: bestshot weights fetch {name} --again" for name in bad]
    return lines


class _ByteBars:
    """Progress bars on stderr, one a file; silent when stderr is no terminal."""

    def __enter__(self) -> Callable[[str, int, int | None], None]:
        self._bars: dict[str, Any] = {}
        return self._show

    def __exit__(self, *_: object) -> None:
        for bar in self._bars.values():
            bar.close()

    def _show(self, name: str, done_bytes: int, total_bytes: int | None) -> None:
        if name not in self._bars:
            from tqdm import tqdm

            self._bars[name] = tqdm(
                total=total_bytes, desc=name[:32], unit="B", unit_scale=True, disable=None, initial=done_bytes
            )
        bar = self._bars[name]
        bar.total = total_bytes
        bar.update(done_bytes - bar.n)  # negative where the file was begun anew
