"""What a catalogue says of a model: its files, their sizes and hashes, where they were published, its licence."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from selector.domain.names import check_name


@dataclass(frozen=True)
class Repository:
    """A repository of a model hub, at one revision.

    Attributes:
        name: "owner/name" on the hub.
        revision: a commit, so that the files stay the same; "main" where none could be confirmed.
        modelscope: the same repository's "owner/name" on ModelScope; None where none is known.
    """

    name: str
    revision: str = "main"
    modelscope: str | None = None


@dataclass(frozen=True)
class ModelFile:
    """One file of a model.

    Attributes:
        name: path below the model's own folder, with forward slashes.
        sha256: None where no published hash could be confirmed; what the server states is noted then.
        size_bytes: the exact size, or None.
        about_bytes: a rounded size, for people, where the exact one is not known.
        repository: where a hub has it; None for a file that is only at ``url``.
        path: its path in the repository; "" means ``name``.
        url: where it was published, if not on a hub.
        or_else: what to take where the source does not have this file.
    """

    name: str
    sha256: str | None = None
    size_bytes: int | None = None
    about_bytes: int = 0
    repository: Repository | None = None
    path: str = ""
    url: str | None = None
    or_else: ModelFile | None = None

    def __post_init__(self) -> None:
        for name in (self.name, self.path or self.name):  # open_clip's table and descriptions of models give names, too
            check_name(name, "the model's file", "it must lie in the model's folder", folders=True, written=True)

    @property
    def expected_bytes(self) -> int:
        """Exact or rounded size; 0 if nothing is known."""
        return self.size_bytes or self.about_bytes

    def choices(self) -> Iterator[ModelFile]:
        """This file, then what may stand in for it."""
        yield self
        if self.or_else is not None:
            yield from self.or_else.choices()


@dataclass(frozen=True)
class Model:
    """A model and what is needed to have it.

    Attributes:
        name: the name on the command line and of its folder.
        scorers: names of the scorers that use it; none for one that only a plug-in reads.
        licence: of the weights, in words.
        files: none for a model that is never fetched; the user names a path in the scorer's settings.
        note: one sentence for people, or "".
        optional: left out by ``fetch --all``.
        open_clip: (architecture, pretrained tag) by which open_clip knows the first file.
    """

    name: str
    scorers: tuple[str, ...]
    licence: str
    files: tuple[ModelFile, ...]
    note: str = ""
    optional: bool = False
    open_clip: tuple[str, str] | None = None

    @property
    def expected_bytes(self) -> int:
        return sum(file.expected_bytes for file in self.files)

    @property
    def source(self) -> str:
        """Repository and revision, or site, of the first file; "by path only" for a model without files."""
        if not self.files:
            return "by path only"
        first = self.files[0]
        if first.repository is None:
            return "/".join((first.url or "").removeprefix("https://").split("/")[:3])
        return f"{first.repository.name}@{first.repository.revision[:12]}"


def megabytes(size_bytes: int) -> str:
    """ "605 MB", "4 kB"."""
    if size_bytes < 1_000_000:
        return f"{max(1, round(size_bytes / 1e3)) if size_bytes else 0} kB"
    return f"{size_bytes / 1e6:,.0f} MB"
