"""What image tools write into their files: seed, prompt, model, sampler, steps.

Reads the A1111 text (PNG chunk ``parameters``; EXIF UserComment of JPEG and WebP), the ComfyUI graph (PNG chunk
``prompt``, API format) and the JSON of InvokeAI, Fooocus and SwarmUI. Metadata are input of strangers: they are
bounded, and whatever is damaged becomes a remark, never an error. (sd-parsers, which reads some of these as well, was
tried: it knows neither bounds, nor WebP, nor the JSON of Fooocus and SwarmUI in ``parameters``.)
"""

from __future__ import annotations

import io
import json
import re
import warnings
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from selector.domain import JSONValue, raise_shortage

MAX_TEXT_CHARACTERS = 2_000_000  # a large ComfyUI graph has 200,000
MAX_PROMPT_CHARACTERS = 8_000
MAX_WORD_CHARACTERS = 300  # of a model's or sampler's name
_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_TEXT_CHUNKS = frozenset({b"tEXt", b"zTXt", b"iTXt"})
_USER_COMMENT, _EXIF_IFD = 0x9286, 0x8769
_A1111_SETTING = re.compile(r'\s*([\w \-/]+):\s*("(?:\\.|[^\\"])*"|[^,]*)(?:,|$)')
MAX_NODES = 5_000
MAX_LINKS = 64  # followed from a sampler to a text or a model
_TEXT_INPUTS = ("text", "t5xxl", "string", "value", "prompt")
_MODEL_INPUTS = ("ckpt_name", "unet_name", "model_name")
Node = Mapping[str, Any]


@dataclass(frozen=True)
class ImageMetadata:
    """What a tool recorded; None where it recorded nothing. ``remark`` says what could not be read."""

    tool: str | None = None
    seed: int | None = None
    prompt: str | None = None
    negative_prompt: str | None = None
    model: str | None = None
    sampler: str | None = None
    steps: int | None = None
    remark: str | None = None

    def as_notes(self) -> dict[str, JSONValue]:
        """The fields that are known."""
        return {name: value for name, value in asdict(self).items() if value is not None}


def read_metadata(data: bytes) -> ImageMetadata:
    """Metadata of an encoded PNG, JPEG or WebP; empty when there are none. Never raises for what a file holds."""
    try:
        texts = _texts(data)
    except Exception as error:  # PIL raises many kinds for damaged or oversized chunks
        raise_shortage(error)
        return ImageMetadata(remark=f"metadata could not be read ({type(error).__name__})")
    for key, parse in _PARSERS.items():
        text = texts.get(key)
        if not text:
            continue
        if len(text) > MAX_TEXT_CHARACTERS:
            return ImageMetadata(remark=f"metadata '{key}' of {len(text)} characters are too long to be read")
        try:
            return parse(text)
        except (ValueError, TypeError, KeyError, AttributeError, IndexError, RecursionError) as error:
            return ImageMetadata(remark=f"metadata '{key}' are damaged ({type(error).__name__})")
    return ImageMetadata()


def without_texts(data: bytes) -> bytes:
    """A PNG without its text chunks, pixels untouched; other bytes as they are. Oversized texts stop decoders."""
    if not data.startswith(_PNG_SIGNATURE):
        return data
    kept, at = [_PNG_SIGNATURE], len(_PNG_SIGNATURE)
    while at + 12 <= len(data):
        end = at + 12 + int.from_bytes(data[at : at + 4], "big")
        if data[at + 4 : at + 8] not in _TEXT_CHUNKS:
            kept.append(data[at:end])
        at = end
    return b"".join(kept)


def _texts(data: bytes) -> dict[str, str]:
    """The text chunks by key in lower case; EXIF's user comment as `parameters`."""
    from PIL import Image

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with Image.open(io.BytesIO(data)) as image:
            if image.format == "PNG":
                image.load()  # chunks may follow the pixels
            found = {**image.info, **getattr(image, "text", {})}
            comment = image.getexif().get_ifd(_EXIF_IFD).get(_USER_COMMENT)
    texts = {str(key).lower(): str(value) for key, value in found.items() if isinstance(value, str)}
    said = _user_comment(comment) if comment else ""
    if "Steps: " in said or said.startswith("{"):  # cameras and telephones write comments, too
        texts.setdefault("parameters", said)
    return texts


def _user_comment(comment: bytes | str) -> str:
    """Decode EXIF UserComment: eight bytes of encoding, then the text; UTF-16 of either byte order in practice."""
    if isinstance(comment, str):
        return comment.removeprefix("UNICODE\0").removeprefix("ASCII\0\0\0")
    code, body = comment[:8], comment[8:]
    if not code.startswith(b"UNICODE"):
        return (body if code.rstrip(b"\0") in (b"ASCII", b"") else comment).decode("utf-8", "replace").strip("\0")
    # Mostly Latin text tells the byte order: its high bytes are zero.
    little = body[1::2].count(0) > body[0::2].count(0)
    return body.decode("utf-16-le" if little else "utf-16-be", "replace").strip("\0\ufeff")


def _parameters(text: str) -> ImageMetadata:
    """The chunk that several tools share: A1111's own text, or JSON with Fooocus' or SwarmUI's names."""
    try:
        found = json.loads(text) if text.lstrip().startswith("{") else None
    except ValueError:
        found = None  # a prompt may begin with a brace
    if not isinstance(found, dict):
        return _a1111(text)
    swarm = found.get("sui_image_params")
    return _by_names("swarmui", swarm) if isinstance(swarm, dict) else _by_names("fooocus", found)


def _a1111(text: str) -> ImageMetadata:
    """Prompt lines, a line "Negative prompt: ...", and a line of settings "Steps: 20, Sampler: ..., Seed: ...".

    Extensions may add lines below that one, such as "Template: ...".
    """
    lines = text.strip().splitlines()
    last = max((at for at, line in enumerate(lines) if re.match(r"\s*Steps: \d", line)), default=len(lines))
    pairs = _A1111_SETTING.findall("".join(lines[last : last + 1]))
    settings = {name.strip(): value.strip().strip('"') for name, value in pairs}
    named = {name.lower(): settings.get(name) for name in ("Seed", "Model", "Sampler", "Steps")}
    prompt, _, negative = "\n".join(lines[:last]).partition("Negative prompt:")
    return _by_names("a1111", {**named, "prompt": prompt, "negative_prompt": negative})


def _by_names(tool: str, found: Mapping[str, Any]) -> ImageMetadata:
    """What a record of named values holds, by the names that the tools give to them."""

    def first(*names: str) -> Any:
        return next((found[name] for name in names if found.get(name)), None)

    model, prompt = first("model_weights", "base_model", "model"), first("positive_prompt", "prompt")
    if isinstance(model, dict):
        model = model.get("name") or model.get("model_name")
    if isinstance(prompt, list):
        prompt = prompt[0]["prompt"]
    return ImageMetadata(
        tool=tool,
        seed=_whole(found.get("seed")),
        prompt=_text(prompt, MAX_PROMPT_CHARACTERS),
        negative_prompt=_text(first("negative_prompt", "negativeprompt"), MAX_PROMPT_CHARACTERS),
        model=_text(model, MAX_WORD_CHARACTERS),
        sampler=_text(first("sampler", "scheduler"), MAX_WORD_CHARACTERS),
        steps=_whole(found.get("steps")),
    )


def _old_invokeai(text: str) -> ImageMetadata:
    """`sd-metadata` of InvokeAI 2: {"model_weights", "image": {"prompt": [{"prompt"}], "seed", "steps", "sampler"}}."""
    found = json.loads(text)
    return _by_names("invokeai", {**found, **found["image"]})


def _dream(text: str) -> ImageMetadata:
    """The command line of InvokeAI 1 and 2: "a prompt" -s 50 -S 1234 -A k_lms."""
    quoted = re.match(r'\s*"((?:\\.|[^"\\])*)"', text)
    options = dict(re.findall(r"(?<=\s)-([sSA])\s*(\S+)", text[quoted.end() :] if quoted else text))
    prompt = quoted[1] if quoted else re.split(r"\s-\w", text)[0]
    named = {"seed": options.get("S"), "steps": options.get("s"), "sampler": options.get("A")}
    return _by_names("invokeai", {**named, "prompt": prompt})


def _workflow(text: str) -> ImageMetadata:
    """ComfyUI's editor format, when the API format is missing: its values have no names, so only the tool is told."""
    if not isinstance(json.loads(text), dict):
        raise ValueError("no graph")
    return ImageMetadata(
        tool="comfyui", remark="only the editor's workflow is recorded, which does not name its values"
    )


_PARSERS: dict[str, Callable[[str], ImageMetadata]] = {
    "invokeai_metadata": lambda text: _by_names("invokeai", json.loads(text)),
    "sd-metadata": _old_invokeai,
    "dream": _dream,
    "parameters": _parameters,
    "prompt": lambda text: _by_names("comfyui", values_of_graph(text)),
    "workflow": _workflow,
}


def _whole(value: Any) -> int | None:
    """A whole number of reasonable size, or None."""
    if isinstance(value, bool) or not isinstance(value, (int, str)):
        return None
    text = str(value) if not isinstance(value, int) or abs(value) < 2**80 else ""
    return int(text) if re.fullmatch(r"-?\d{1,20}", text.strip()) else None


def _text(value: Any, most: int) -> str | None:
    return value.strip()[:most] or None if isinstance(value, str) else None


def values_of_graph(text: str) -> dict[str, Any]:
    """Seed, prompt, negative_prompt, model, sampler and steps, each None, or of any type, where it is not as usual.

    Raises:
        ValueError: no graph, or one of too many nodes. RecursionError: it is nested too deeply.
    """
    graph = json.loads(text)
    if not isinstance(graph, dict) or len(graph) > MAX_NODES:
        raise ValueError("no graph")
    nodes: dict[str, Node] = {str(key): node for key, node in graph.items() if isinstance(node, dict)}
    sampler = next((node for node in nodes.values() if _is_sampler(node)), None)
    inputs: Node = _inputs(sampler) if sampler else {}
    guided = inputs.get("guider")  # of SamplerCustomAdvanced, as Flux graphs use it
    model = _upstream(nodes, inputs.get("model", guided), _MODEL_INPUTS)
    if sampler is None:
        loaders = (_inputs(node).get("ckpt_name") for node in nodes.values())
        model = next((name for name in loaders if isinstance(name, str)), None)
    return {
        "seed": _value(nodes, inputs, ("seed", "noise_seed"), "noise"),
        "prompt": _upstream(nodes, inputs.get("positive", guided), _TEXT_INPUTS),
        "negative_prompt": _upstream(nodes, inputs.get("negative"), _TEXT_INPUTS),
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


def _upstream(nodes: Mapping[str, Node], link: Any, names: tuple[str, ...]) -> Any:
    """The first named value on the way up from a link ([node id, output]): depth first, as the first input means most,
    and each node once."""
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
        links = [value for value in inputs.values() if isinstance(value, list)]
        named = [inputs[name] for name in names if isinstance(inputs.get(name), list)]
        stack.extend(reversed(named + links))
    return None
