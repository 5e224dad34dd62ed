"""What image tools write into their files: seed, prompt, model, sampler, steps.

Read are the text of A1111 and its many followers (Forge, SD.Next, Fooocus, ArtBot, stable-diffusion.cpp), the graph of
ComfyUI, and what InvokeAI, SwarmUI, Fooocus, NovelAI, Draw Things, Easy Diffusion and Midjourney write, in chunks of
PNG, EXIF, XMP or a comment. A file often has a comment that tells of no generation (a screenshot, a camera): nothing is
a record but what names its values as such a tool does. NovelAI's hidden copy in the alpha channel is not looked for.

Metadata are input of strangers: they are bounded, and whatever is damaged becomes a remark, never an error.
(sd-parsers, which reads some of these as well, was tried: it knows neither bounds, nor WebP, nor JSON in
``parameters``.)
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from generators._comfyui_graph import values_of_graph
from generators._metadata_texts import texts_of, without_texts
from selector.domain import JSONValue, raise_shortage

__all__ = ["ImageMetadata", "read_metadata", "without_texts"]

MAX_TEXT_CHARACTERS = 2_000_000  # a large ComfyUI graph has 200,000
MAX_PROMPT_CHARACTERS = 8_000
MAX_WORD_CHARACTERS = 300  # of a model's or sampler's name
# "Steps: 20, Sampler: ..., Seed: 1", of SD.Next with bars; a line of its own, but for sites that join all lines.
_SETTINGS = re.compile(r"^[ \t]*(?:Steps|Seed): ?\d.*$|(?<=\s)Steps: \d+, .*\bSeed: \d.*", re.MULTILINE)
_SETTING = re.compile(r'\s*([\w \-/]+):\s*("(?:\\.|[^\\"])*"|[^,|]*)(?:[,|]|$)')
_BEFORE_SETTINGS = re.compile(r"\nVersion: .*\n*\Z")  # of SD.Next in 2023
_WRITERS = {"fooocus": "fooocus", "comfyui": "comfyui", "stable-diffusion.cpp": "stable-diffusion.cpp"}
_MIDJOURNEY = re.compile(r"(.*?)\s*(--\w.*)?\s*Job ID: [0-9a-f-]{36}", re.DOTALL)
_NAMES = {
    "prompt": ("positive_prompt", "prompt"),
    "negative_prompt": ("negative_prompt", "negativeprompt", "uc"),
    "model": ("model_weights", "base_model", "base_model_name", "use_stable_diffusion_model", "stable_diffusion_model",
              "model"),
    "sampler": ("sampler", "sampler_name", "scheduler"),
    "steps": ("steps", "num_inference_steps"),
}  # fmt: skip
_TELLING = ("prompt", "seed", "steps", "sampler", "negative_prompt")  # a camera's comment has a model, too


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
    """Metadata of an encoded picture; empty when there are none. Never raises for what a file holds."""
    try:
        texts = texts_of(data)
    except Exception as error:  # PIL raises many kinds for damaged or oversized chunks
        raise_shortage(error)
        return ImageMetadata(remark=f"metadata could not be read ({type(error).__name__})")
    long = {key: len(text) for key, text in texts.items() if len(text) > MAX_TEXT_CHARACTERS}
    remarks = [f"metadata '{key}' of {length} characters are too long to be read" for key, length in long.items()]
    texts = {key: text for key, text in texts.items() if key not in long}
    for key, parse in _PARSERS.items():
        if key and key not in texts:
            continue
        try:
            if found := parse(texts):
                return found
        except (ValueError, TypeError, KeyError, AttributeError, IndexError, RecursionError) as error:
            remarks.append(f"metadata '{key}' are damaged ({type(error).__name__})")
    return ImageMetadata(remark=remarks[0] if remarks else None)


def _free_text(key: str) -> Callable[[Mapping[str, str]], ImageMetadata | None]:
    """Of a field that anything may be written into: JSON or A1111's text if it is such a record, else None."""

    def parse(texts: Mapping[str, str]) -> ImageMetadata | None:
        text = texts[key]
        try:
            found = json.loads(text) if text.lstrip().startswith("{") else None
        except ValueError:
            found = None  # a prompt may begin with a brace
        record = _record(found) if isinstance(found, dict) else _a1111(text) or _midjourney(text)
        is_fooocus = "fooocus_scheme" in texts or texts.get("software", "").startswith("Fooocus")
        return replace(record, tool="fooocus") if record and is_fooocus else record

    return parse


def _record(found: dict[str, Any]) -> ImageMetadata | None:
    """JSON with the names of one of the tools, None for JSON of another kind."""
    named = {str(name).lower().rpartition(":")[2].replace(" ", "_"): value for name, value in found.items()}
    if isinstance(swarm := named.get("sui_image_params"), dict):
        return _by_names("swarmui", swarm)
    if isinstance(named.get("comment"), str) and str(named.get("software")).startswith("NovelAI"):
        return _novelai({name: value for name, value in named.items() if isinstance(value, str)})
    if isinstance(graph := named.get("prompt"), dict):
        return _by_names("comfyui", values_of_graph(graph))
    if "c" in named and "uc" in named:
        return _by_names("draw things", {**named, "prompt": named["c"]})
    tool = "easydiffusion" if "use_stable_diffusion_model" in named else None
    tool = "fooocus" if {"base_model", "metadata_scheme"} & named.keys() else tool
    record = _by_names(tool, named)
    return record if sum(getattr(record, name) is not None for name in _TELLING) >= 2 else None


def _a1111(text: str) -> ImageMetadata | None:
    """Prompt lines, a line "Negative prompt: ...", and a line of settings "Steps: 20, Sampler: ..., Seed: ...".

    Extensions may add lines below that one, such as "Template: ..." of dynamic-prompts; they are no part of it.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    *_, last = (None, *_SETTINGS.finditer(text))
    pairs = _SETTING.findall(last[0]) if last else []
    settings = {name.strip().lower(): value.strip().strip('"') for name, value in pairs}
    if last is None or len(settings) < 2:
        return None
    prompt, _, negative = _BEFORE_SETTINGS.sub("", text[: last.start()]).partition("Negative prompt:")
    prompt = re.sub(r"\A\s*prompt: ", "", prompt, flags=re.IGNORECASE)
    version = settings.get("version", "").lower()
    tool = next((tool for word, tool in _WRITERS.items() if version.startswith(word)), "a1111")
    return _by_names(tool, {**settings, "prompt": prompt, "negative_prompt": negative})


def _midjourney(text: str) -> ImageMetadata | None:
    found = _MIDJOURNEY.match(text)
    if not found:
        return None
    options = dict(re.findall(r"--(\w+)\s+(\S+)", found[2] or ""))
    return _by_names("midjourney", {"prompt": found[1], "seed": options.get("seed")})


def _by_names(tool: str | None, found: Mapping[str, Any]) -> ImageMetadata:
    """What a record of named values holds, by the names that the tools give to them."""
    values = {field: next((found[name] for name in names if found.get(name)), None) for field, names in _NAMES.items()}
    prompt, model = values["prompt"], values["model"]
    if isinstance(model, dict):
        model = model.get("name") or model.get("model_name")
    if isinstance(prompt, list):
        prompt = prompt[0]["prompt"]
    return ImageMetadata(
        tool=tool,
        seed=_whole(found.get("seed")),
        prompt=_text(prompt, MAX_PROMPT_CHARACTERS),
        negative_prompt=_text(values["negative_prompt"], MAX_PROMPT_CHARACTERS),
        model=_text(model, MAX_WORD_CHARACTERS),
        sampler=_text(values["sampler"], MAX_WORD_CHARACTERS),
        steps=_whole(values["steps"]),
    )


def _invokeai(found: Mapping[str, Any]) -> ImageMetadata:
    """InvokeAI 1 and 2 had the negative prompt in square brackets within the prompt."""
    record = _by_names("invokeai", found)
    negative = ", ".join(re.findall(r"\[([^\[\]]+)\]", record.prompt or ""))
    if not negative or record.negative_prompt:
        return record
    prompt = re.sub(r"\s*\[[^\[\]]+\]", "", record.prompt or "").strip()
    return replace(record, prompt=prompt or None, negative_prompt=negative)


def _old_invokeai(texts: Mapping[str, str]) -> ImageMetadata:
    """`sd-metadata` of InvokeAI 2: {"model_weights", "image": {"prompt": [{"prompt"}], "seed", "steps", "sampler"}}."""
    found = json.loads(texts["sd-metadata"])
    return _invokeai({**found, **found["image"]})


def _dream(texts: Mapping[str, str]) -> ImageMetadata | None:
    """The command line of InvokeAI 1 and 2: "a prompt" -s 50 -S 1234 -A k_lms."""
    text = texts["dream"]
    quoted = re.match(r'\s*"((?:\\.|[^"\\])*)"', text)
    options = dict(re.findall(r"(?<=\s)-([sSA])\s*([^\s-]\S*)", text[quoted.end() :] if quoted else text))
    if not options:
        return None
    prompt = quoted[1] if quoted else re.split(r"\s-\w", text)[0]
    if prompt.startswith("!"):  # a command such as !fix, whose picture's prompt is not told
        prompt = ""
    return _invokeai(
        {"seed": options.get("S"), "steps": options.get("s"), "sampler": options.get("A"), "prompt": prompt}
    )


def _novelai(texts: Mapping[str, str]) -> ImageMetadata | None:
    """The prompt as description, the settings as JSON in the comment, the model as source."""
    if not texts.get("software", "").startswith("NovelAI"):
        return None
    found = json.loads(texts["comment"])
    captions = {"prompt": _caption(found, "v4_prompt"), "negative_prompt": _caption(found, "v4_negative_prompt")}
    beside = {"prompt": texts.get("description"), "model": texts.get("source")}
    return _by_names("novelai", {**captions, **found, **{name: text for name, text in beside.items() if text}})


def _caption(found: Mapping[str, Any], name: str) -> str | None:
    """The prompt of the whole picture, as models since 4 have it beside those of its characters."""
    caption = found[name].get("caption") if isinstance(found.get(name), dict) else None
    return caption.get("base_caption") if isinstance(caption, dict) else None


def _graph(texts: Mapping[str, str]) -> ImageMetadata | None:
    """ComfyUI's graph; Easy Diffusion and others have a chunk for each value, of which this one is plain text."""
    text = texts["prompt"]
    if text.lstrip().startswith(("{", "[")):
        return _by_names("comfyui", values_of_graph(json.loads(text)))
    return None


def _workflow(texts: Mapping[str, str]) -> ImageMetadata:
    """ComfyUI's editor format, when the API format is missing: its values have no names, so only the tool is told."""
    if not isinstance(json.loads(texts["workflow"]), dict):
        raise ValueError("no graph")
    return ImageMetadata(
        tool="comfyui", remark="only the editor's workflow is recorded, which does not name its values"
    )


_PARSERS: dict[str, Callable[[Mapping[str, str]], ImageMetadata | None]] = {
    "invokeai_metadata": lambda texts: _invokeai(json.loads(texts["invokeai_metadata"])),
    "sd-metadata": _old_invokeai,
    "dream": _dream,
    "comment": lambda texts: _novelai(texts) or _free_text("comment")(texts),
    **{key: _free_text(key) for key in ("parameters", "usercomment", "description")},
    "prompt": _graph,
    "workflow": _workflow,
    "": lambda texts: _record(dict(texts)),
}


def _whole(value: Any) -> int | None:
    """A whole number of reasonable size, or None. -1 asks for a seed by chance and is none."""
    if isinstance(value, bool) or not isinstance(value, (int, str)):
        return None
    text = str(value) if not isinstance(value, int) or abs(value) < 2**80 else ""
    return int(text) if re.fullmatch(r"\d{1,20}", text.strip()) else None


def _text(value: Any, most: int) -> str | None:
    return value.strip()[:most] or None if isinstance(value, str) else None
