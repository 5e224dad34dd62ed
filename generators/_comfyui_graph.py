"""ComfyUI's graph in the API format: which node samples, and what its links lead to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

MAX_NODES = 5_000
MAX_LINKS = 64  # followed from a sampler to a text or a model
_TEXT_INPUTS = ("text", "t5xxl", "string", "value", "prompt")
# A node that hands both conditionings on (ControlNet, loaders with prompts) has both as inputs: only one is followed.
_SIDES = {side: (side, f"text_{side}", *_TEXT_INPUTS) for side in ("positive", "negative")}
_MODEL_INPUTS = ("ckpt_name", "unet_name", "model_name")
Node = Mapping[str, Any]


def values_of_graph(graph: Any) -> dict[str, Any]:
    """Seed, prompt, negative_prompt, model, sampler and steps, each None, or of any type, where it is not as usual.

    Empty for JSON of another kind, whose entries name no class.

    Raises:
        ValueError: no graph, or one of too many nodes.
    """
    if not isinstance(graph, dict) or len(graph) > MAX_NODES:
        raise ValueError("no graph")
    nodes: dict[str, Node] = {str(key): node for key, node in graph.items() if isinstance(node, dict)}
    if not any("class_type" in node for node in nodes.values()):
        return {}
    sampler = next((node for node in nodes.values() if _is_sampler(node)), None)
    inputs: Node = _inputs(sampler) if sampler else {}
    guided = inputs.get("guider")  # of SamplerCustomAdvanced, as Flux graphs use it
    model = _upstream(nodes, inputs.get("model", guided), _MODEL_INPUTS)
    if sampler is None:
        loaders = (_inputs(node).get("ckpt_name") for node in nodes.values())
        model = next((name for name in loaders if isinstance(name, str)), None)
    return {
        "seed": _value(nodes, inputs, ("seed", "noise_seed"), "noise"),
        "prompt": _upstream(nodes, inputs.get("positive", guided), _SIDES["positive"], but=_SIDES["negative"]),
        "negative_prompt": _upstream(nodes, inputs.get("negative"), _SIDES["negative"], but=_SIDES["positive"]),
        "model": model,
        "sampler": _value(nodes, inputs, ("sampler_name",), "sampler"),
        "steps": _value(nodes, inputs, ("steps",), "sigmas"),
    }


def _is_sampler(node: Node) -> bool:
    kind = str(node.get("class_type", "")).lower()
    return ("ksampler" in kind or "samplercustom" in kind) and "select" not in kind


def _inputs(node: Node) -> Node:
    inputs = node.get("inputs")
    return inputs if isinstance(inputs, dict) else {}


def _value(nodes: Mapping[str, Node], inputs: Node, names: tuple[str, ...], behind: str) -> Any:
    """An input's value, or what its link leads to; without such an input, what the link ``behind`` leads to."""
    value = next((inputs[name] for name in names if name in inputs), inputs.get(behind))
    return _upstream(nodes, value, (*names, "value", "int")) if isinstance(value, list) else value


def _upstream(nodes: Mapping[str, Node], link: Any, names: tuple[str, ...], but: tuple[str, ...] = ()) -> Any:
    """The first named value on the way up from a link ([node id, output]): depth first, as the first input means most,
    and each node once. Inputs named by ``but`` alone are not followed."""
    stack: list[Any] = [link]
    seen: set[str] = set()
    while stack and len(seen) < MAX_LINKS:
        here = stack.pop()
        node_id = str(here[0]) if isinstance(here, list) and here else None
        if node_id is None or node_id in seen or node_id not in nodes:
            continue
        seen.add(node_id)
        inputs = _inputs(nodes[node_id])
        for name in names:
            if isinstance(inputs.get(name), (str, int)):
                return inputs[name]
        links = [value for name, value in inputs.items() if isinstance(value, list) and name not in {*but} - {*names}]
        named = [inputs[name] for name in names if isinstance(inputs.get(name), list)]
        stack.extend(reversed(named + links))
    return None
