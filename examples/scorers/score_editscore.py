"""EditScore (Apache-2.0): a 7B judge of edits that asks VIEScore's questions, in an environment of its own.

    python -m venv /opt/editscore && /opt/editscore/bin/pip install editscore   # after torch for your GPU

[scorers.editscore]
kind = "command"
command = ["/opt/editscore/bin/python", "score_editscore.py", "--passes=4"]
task_types = ["tie", "vttie"]
columns = [
  { name = "sc", low = 0.0, high = 10.0, better = "up", axis = "sc" },
  { name = "pq", low = 0.0, high = 10.0, better = "up", axis = "pq" },
]

The package gives a random number where it cannot read its model's reply, and marks it in its reasoning: such a pass
counts for nothing here. Not run with the real package: see docs/scorer-command.md.
"""

import argparse

from bestshot_lines import serve
from PIL import Image

GUESSED = "guess_if_cannot_parse"


def one_pass(judge, pictures, instruction):
    """(SC, PQ) of one look, or None where the package guessed."""
    said = judge.evaluate(pictures, instruction)
    if any(GUESSED in str(said.get(part, "")) for part in ("SC_reasoning", "PQ_reasoning")):
        return None
    return min(said["prompt_following"], said["consistency"]), said["perceptual_quality"]


def scores_of(judge, item, passes, seed):
    if item["source"] is None:
        return "there is no source to compare with"
    with Image.open(item["source"]) as source, Image.open(item["picture"]) as edited:
        pictures = [source.convert("RGB"), edited.convert("RGB")]
    looks = []
    for number in range(passes):
        judge.seed = seed + number
        looks.append(one_pass(judge, pictures, item["prompt"]))
    read = [look for look in looks if look is not None]
    if not read:
        return "no reply of the model could be read"
    sums = (sum(sc for sc, _ in read), sum(pq for _, pq in read))
    return {"sc": float(sums[0] / len(read)), "pq": float(sums[1] / len(read))}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", default="Qwen/Qwen2.5-VL-7B-Instruct")
    parser.add_argument("--lora", default="EditScore/EditScore-7B")
    parser.add_argument("--backbone", default="qwen25vl", help="qwen25vl_vllm where vllm is installed: faster")
    parser.add_argument("--passes", type=int, default=4, help="looks at a picture, whose mean counts")
    parser.add_argument("--seed", type=int, default=42)
    options = parser.parse_args()
    from editscore import EditScore

    judge = EditScore(
        backbone=options.backbone,
        model_name_or_path=options.model,
        enable_lora=bool(options.lora),
        lora_path=options.lora,
        score_range=25,
        num_pass=1,  # one at a time: of several the package tells the reasoning of the last alone
    )
    serve(lambda items: [scores_of(judge, item, options.passes, options.seed) for item in items])


if __name__ == "__main__":
    main()
