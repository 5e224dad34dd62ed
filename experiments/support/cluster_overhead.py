"""Pictures a second of ``score`` on Ray over those of the local engine, with the same cores."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from experiments.support.servers import ROOT
from experiments.support.throughput_parts import photo_campaign, write_shaped

MODEL = "ViT-B-32"
# A process of its own for each run: models of the run before would be warm. The first batch tells when work began.
CHILD = """
import json, sys, time
from selector import Campaign
began, seen = time.perf_counter(), []
def progress(what, done, total, detail=""):
    if done:
        seen.append((time.perf_counter() - began, what, done))
with Campaign(sys.argv[1]) as campaign:
    found = campaign.score(None, progress, sys.argv[2])
print(json.dumps({"seconds": time.perf_counter() - began, "scored": found.candidates, "seen": seen}))
"""


def measure_overhead(n: int, repeats: int, seed: int) -> dict[str, Any]:
    """Both engines in turn over the same candidates, whose scores are taken away before each run."""
    with tempfile.TemporaryDirectory(prefix="bestshot-overhead-") as name:
        place = Path(name)
        shaped = write_shaped(MODEL, place, seed)
        heads = {"aesthetic": {"head_path": str(shaped.aesthetic_head)}}
        embedding = {"model": shaped.model, "weights_path": str(shaped.weights)}
        scorers = {"scorers": ["aesthetic", "clip_similarity"]}
        with photo_campaign(place, n, seed, score=scorers, scorers=heads, embedding=embedding) as campaign:
            folder = campaign.folder
        runs: dict[str, list[dict[str, float]]] = {"local": [], "ray": []}
        for _ in range(repeats):
            for engine, found in runs.items():
                found.append(_run(folder, engine, n))
                print(f"overhead: {engine}: {found[-1]}", file=sys.stderr, flush=True)
    speed = {engine: statistics.median(run["pictures_a_second"] for run in found) for engine, found in runs.items()}
    return {"model": MODEL, "n": n, "repeats": repeats, "ray_over_local": speed["ray"] / speed["local"], "runs": runs}


def _run(folder: Path, engine: str, n: int) -> dict[str, float]:
    """One run; its start is the time until the first candidates were stored, and no part of its speed."""
    _forget(folder)
    command = [sys.executable, "-c", CHILD, str(folder), engine]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, cwd=ROOT)
    told = json.loads(done.stdout.splitlines()[-1])
    if told["scored"] != n:
        raise RuntimeError(f"{engine}: {told['scored']} of {n} candidates were scored")
    last = told["seen"][-1]
    first = next(moment for moment in told["seen"] if moment[1] == last[1])
    speed = (last[2] - first[2]) / (told["seconds"] - first[0])
    return {"pictures_a_second": speed, "until_the_first_batch_s": first[0], "seconds": told["seconds"]}


def _forget(folder: Path) -> None:
    from selector import Campaign
    from selector.store import schema

    with Campaign(folder) as campaign, campaign._ws.db.write() as connection:
        for table in (schema.score, schema.embedding, schema.text_embedding):
            connection.execute(table.delete())
