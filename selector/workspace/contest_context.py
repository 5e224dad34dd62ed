"""What scorers are told of the contest: its tasks, its pictures, the backbone that they share, and translations."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path

from selector.contest.table_text import read_table_text
from selector.domain import InputError, Task
from selector.domain.embedding import ContestContext, EmbeddingSettings
from selector.workspace.workspace import Workspace

TEXT, ENGLISH = "text", "english"
USUAL_TABLE = "translations.csv"


def contest_context(ws: Workspace, tasks: Sequence[Task]) -> ContestContext:
    """Raises ``InputError`` when the table of translations is named and wrong."""
    config = ws.config.embedding
    own = {key: getattr(config, key) for key in ("weights_path", "config_path")}
    places = {key: str(ws.folder / place) if place else "" for key, place in own.items()}
    settings = EmbeddingSettings(
        model=config.model,
        pretrained=config.pretrained,
        reads=config.reads,
        device=config.device,
        precision=config.precision,
        batch=config.batch,
        **places,
    )
    table = ws.folder / (config.translations_path or USUAL_TABLE)
    translations = read_translations(table) if config.translations_path or table.is_file() else {}
    return ContestContext(tuple(tasks), ws.inputs_folder, settings, translations, ws.db.facts("input:"))


def read_translations(path: Path) -> dict[str, str]:
    """Text to its English, of a CSV with these two columns; a row without English says nothing.

    Raises:
        InputError: no readable CSV in UTF-8, or a column is missing.
    """
    rows = csv.DictReader(io.StringIO(read_table_text(path, "table of translations"), newline=""))
    missing = [column for column in (TEXT, ENGLISH) if column not in (rows.fieldnames or ())]
    if missing:
        raise InputError(f"{path} needs the columns {TEXT} and {ENGLISH}: '{missing[0]}' is missing")
    pairs = (((row[TEXT] or "").strip(), (row[ENGLISH] or "").strip()) for row in rows)
    return {text: english for text, english in pairs if text and english}
