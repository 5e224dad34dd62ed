"""Pictures a second of ``score`` on Ray over those of the local engine, with the same cores."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from experiments.support.cluster_machines import ROOT
from experiments.support.throughput_parts import Shaped, photo_campaign, write_shaped
from selector import Campaign
from selector.store import schema

MODEL = "ViT-B-32"
FEW = 32  # candidates of the small campaign, whose seconds are mostly start-up
# A process of its own for each run, as models of the run before would be warm.
CHILD = """
import json, sys, time
from selector import Campaign
from selector.domain.progress import silent
began = time.perf_counter()
with Campaign(sys.argv[1]) as campaign:
    found = campaign.score(None, silent, sys.argv[2])
print(json.dumps({"seconds": time.perf_counter() - began, "scored": found.candidates}))
"""


def measure_overhead(n: int, repeats: int, seed: int) -> dict[str, Any]:
    """Both engines in turn over few candidates and over ``n`` more; the scores are taken away before each run.

    Speed is of what the larger campaign has more, over the seconds that it takes longer; the start of program, Ray and
    models is in both, and what is left of the smaller one's seconds without its pictures.
    """
    runs: dict[str, list[dict[str, float]]] = {"local": [], "ray": []}
    with tempfile.TemporaryDirectory(prefix="bestshot-overhead-") as name:
        shaped = write_shaped(MODEL, Path(name), seed)
        few, many = (_campaign(Path(name) / str(size), shaped, size, seed) for size in (FEW, FEW + n))
        for _ in range(repeats):
            for engine, found in runs.items():
                short, long = _seconds(few, engine, FEW), _seconds(many, engine, FEW + n)
                speed = n / (long - short)
                found.append({"pictures_a_second": speed, "start_s": short - FEW / speed, "seconds": long})
                print(f"overhead: {engine}: {found[-1]}", file=sys.stderr, flush=True)
    speeds = {engine: statistics.median(run["pictures_a_second"] for run in found) for engine, found in runs.items()}
    starts = {engine: statistics.median(run["start_s"] for run in found) for engine, found in runs.items()}
    told = {"model": MODEL, "n": n, "repeats": repeats, "pictures_a_second": speeds, "start_s": starts, "runs": runs}
    return {"ray_over_local": speeds["ray"] / speeds["local"], **told}


def _campaign(place: Path, shaped: Shaped, n: int, seed: int) -> Path:
    place.mkdir()
    settings: dict[str, Any] = {
        "score": {"scorers": ["aesthetic", "clip_similarity"]},
        "scorers": {"aesthetic": {"head_path": str(shaped.aesthetic_head)}},
        "embedding": {"model": shaped.model, "weights_path": str(shaped.weights)},
    }
    with photo_campaign(place, n, seed, **settings) as campaign:
        return campaign.folder


def _seconds(folder: Path, engine: str, n: int) -> float:
    with Campaign(folder) as campaign, campaign._ws.db.write() as connection:
        for table in (schema.score, schema.embedding, schema.text_embedding):
            connection.execute(table.delete())
    command = [sys.executable, "-c", CHILD, str(folder), engine]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, cwd=ROOT)
    told = json.loads(done.stdout.splitlines()[-1])
    if told["scored"] != n:
        raise RuntimeError(f"{engine}: {told['scored']} of {n} candidates were scored")
    return float(told["seconds"])
