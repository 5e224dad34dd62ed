"""HPSv3 (code MIT, weights Apache-2.0): which picture people prefer for a prompt, by a 7B model in its own environment.

    python -m venv /opt/hpsv3 && /opt/hpsv3/bin/pip install hpsv3   # it pins its transformers

[scorers.hpsv3]
kind = "command"
command = ["/opt/hpsv3/bin/python", "score_hpsv3.py"]
task_types = ["t2i"]
columns = [{ name = "preference", low = -30.0, high = 30.0, better = "up", axis = "sc" }]

Not run with the real package: see docs/scorer-command.md.
"""

import argparse

from bestshot_lines import serve


def scores_of(model, items):
    asked = [item for item in items if item["prompt"].strip()]
    if not asked:
        return ["the task has no prompt" for _ in items]
    # By name: the order of these two is another in the package's own example.
    rewards = model.reward(prompts=[i["prompt"] for i in asked], image_paths=[i["picture"] for i in asked])
    means = iter([float(reward[0]) for reward in rewards])  # of [mean, sigma]
    return [{"preference": next(means)} if item in asked else "the task has no prompt" for item in items]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--checkpoint", default=None, help="a file of weights; else the package fetches its own")
    options = parser.parse_args()
    from hpsv3 import HPSv3RewardInferencer

    model = HPSv3RewardInferencer(device=options.device, checkpoint_path=options.checkpoint)
    serve(lambda items: scores_of(model, items))


if __name__ == "__main__":
    main()
