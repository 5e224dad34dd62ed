"""The records of the tools: A1111's text, JSON with the names of one of them, ComfyUI's graph; None for no record."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Set
from dataclasses import replace
from typing import Any

from generators._comfyui_graph import values_of_graph
from generators._metadata_record import ImageMetadata, by_names
from selector.domain.json_text import parse_json

# "Steps: 20, Sampler: ..., Seed: 1", of SD.Next with bars; a line of its own, but for sites that join all lines. What
# is repeated is bounded: a hostile text of megabytes must not take more than its length.
_SETTINGS = re.compile(r"^[ \t]{0,9}(?:Steps|Seed): ?\d.*$", re.MULTILINE)
_JOINED = re.compile(r"\sSteps: \d+, .*\bSeed: \d.*")
_SETTING = re.compile(r'\s{0,9}([\w \-/]{1,60}):\s{0,9}("(?:\\.|[^\\"])*"|[^,|]*)(?:[,|]|$)')
MAX_SETTINGS_CHARACTERS = 20_000  # each is tried as the beginning of a name
_OF_SETTINGS = {"steps", "seed", "sampler", "cfg scale", "size", "model"}  # two of them, or one and a negative prompt
_BEFORE_SETTINGS = re.compile(r"\nVersion: .*\n*\Z")  # of SD.Next in 2023
_WRITERS = {"fooocus": "fooocus", "comfyui": "comfyui", "stable-diffusion.cpp": "stable-diffusion.cpp"}
_JOB = re.compile(r"\bJob ID: [0-9a-f-]{36}")
_TELLING = ("prompt", "seed", "steps", "sampler", "negative_prompt")  # a camera's comment has a model, too


def _free_text(key: str) -> Callable[[Mapping[str, str]], ImageMetadata | None]:
    """Of a field that anything may be written into: JSON or A1111's text if it is such a record, else None."""

    def parse(texts: Mapping[str, str]) -> ImageMetadata | None:
        text = texts[key]
        try:
            found = parse_json(text) if text.lstrip().startswith("{") else None
        except ValueError:
            found = None  # a prompt may begin with a brace
        record = _record(found) if isinstance(found, dict) else _a1111(text) or _midjourney(text)
        writer = _writer(texts) if record else None
        return replace(record, tool=writer) if record and writer else record

    return parse


def _writer(texts: Mapping[str, str]) -> str | None:
    """The tool that wrote another's format, by what else it writes."""
    if "fooocus_scheme" in texts or texts.get("software", "").startswith("Fooocus"):
        return "fooocus"
    return "comfyui" if texts.get("prompt", "").lstrip().startswith("{") else None


def _record(found: dict[str, Any]) -> ImageMetadata | None:
    """JSON with the names of one of the tools, None for JSON of another kind."""
    named = {str(name).lower().rpartition(":")[2].replace(" ", "_"): value for name, value in found.items()}
    if isinstance(swarm := named.get("sui_image_params"), dict):
        return by_names("swarmui", swarm)
    if isinstance(named.get("comment"), str) and str(named.get("software")).startswith("NovelAI"):
        return _novelai({name: value for name, value in named.items() if isinstance(value, str)})
    if isinstance(named.get("prompt"), dict):
        return _comfyui(named["prompt"])
    if "c" in named and "uc" in named:
        return by_names("draw things", {**named, "prompt": named["c"]})
    record = by_names(_tool_of(named.keys()), named)
    return record if sum(getattr(record, name) is not None for name in _TELLING) >= 2 else None


def _tool_of(names: Set[str]) -> str | None:
    if {"base_model", "metadata_scheme"} & names:
        return "fooocus"
    is_easy = "use_stable_diffusion_model" in names or {"stable_diffusion_model", "negative_prompt"} <= names
    return "easydiffusion" if is_easy else None


def _a1111(text: str) -> ImageMetadata | None:
    """Prompt lines, a line "Negative prompt: ...", and a line of settings "Steps: 20, Sampler: ..., Seed: ...".

    Extensions may add lines below that one, such as "Template: ..." of dynamic-prompts; they are no part of it.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    *_, last = (_JOINED.match(text, max(0, text.rfind(" Steps: "))), *_SETTINGS.finditer(text))
    pairs = _SETTING.findall(last[0][:MAX_SETTINGS_CHARACTERS]) if last else []
    settings = {name.strip().lower(): value.strip().strip('"') for name, value in pairs}
    if last is None:
        return None
    prompt, marker, negative = _BEFORE_SETTINGS.sub("", text[: last.start()]).partition("Negative prompt:")
    if len(settings.keys() & _OF_SETTINGS) + bool(marker) < 2:
        return None
    prompt = re.sub(r"\A\s*prompt: ", "", prompt, flags=re.IGNORECASE)
    version = settings.get("version", "").lower()
    tool = next((tool for word, tool in _WRITERS.items() if version.startswith(word)), "a1111")
    return by_names(tool, {**settings, "prompt": prompt, "negative_prompt": negative})


def _midjourney(text: str) -> ImageMetadata | None:
    """The prompt with its options, and the job: "a fox --ar 3:2 --seed 5 Job ID: ..."."""
    job = _JOB.search(text)
    if not job:
        return None
    prompt, _, options = text[: job.start()].partition(" --")
    seed = re.search(r"--seed (\d{1,20})\b", f"--{options}")
    return by_names("midjourney", {"prompt": prompt, "seed": seed[1] if seed else None})


def _invokeai(found: Mapping[str, Any]) -> ImageMetadata:
    """InvokeAI 1 and 2 had the negative prompt in square brackets within the prompt."""
    record = by_names("invokeai", found)
    negative = ", ".join(re.findall(r"\[([^\[\]]+)\]", record.prompt or ""))
    if not negative or record.negative_prompt:
        return record
    prompt = re.sub(r"\s*\[[^\[\]]+\]", "", record.prompt or "").strip()
    return replace(record, prompt=prompt or None, negative_prompt=negative)


def _old_invokeai(texts: Mapping[str, str]) -> ImageMetadata:
    """`sd-metadata` of InvokeAI 2: {"model_weights", "image": {"prompt": [{"prompt"}], "seed", "steps", "sampler"}}."""
    found = parse_json(texts["sd-metadata"])
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
    found = parse_json(texts["comment"])
    captions = {"prompt": _caption(found, "v4_prompt"), "negative_prompt": _caption(found, "v4_negative_prompt")}
    beside = {"prompt": texts.get("description"), "model": texts.get("source")}
    return by_names("novelai", {**captions, **found, **{name: text for name, text in beside.items() if text}})


def _caption(found: Mapping[str, Any], name: str) -> str | None:
    """The prompt of the whole picture, as models since 4 have it beside those of its characters."""
    caption = found[name].get("caption") if isinstance(found.get(name), dict) else None
    return caption.get("base_caption") if isinstance(caption, dict) else None


def _graph(texts: Mapping[str, str]) -> ImageMetadata | None:
    """ComfyUI's graph; Easy Diffusion and others have a chunk for each value, this one as plain text."""
    text = texts["prompt"]
    if text.lstrip().startswith(("{", "[")):
        return _comfyui(parse_json(text))
    return None


def _comfyui(graph: Any) -> ImageMetadata | None:
    values = values_of_graph(graph)
    return by_names("comfyui", values) if values else None


def _workflow(texts: Mapping[str, str]) -> ImageMetadata | None:
    """ComfyUI's editor format, when the API format is missing: its values have no names, so only the tool is told."""
    if "nodes" not in parse_json(texts["workflow"]):
        return None
    return ImageMetadata(
        tool="comfyui", remark="only the editor's workflow is recorded, which does not name its values"
    )


PARSERS: dict[str, Callable[[Mapping[str, str]], ImageMetadata | None]] = {
    "invokeai_metadata": lambda texts: _invokeai(parse_json(texts["invokeai_metadata"])),
    "sd-metadata": _old_invokeai,
    "dream": _dream,
    "comment": lambda texts: _novelai(texts) or _free_text("comment")(texts),
    **{key: _free_text(key) for key in ("parameters", "usercomment", "description")},
    "prompt": _graph,
    "workflow": _workflow,
    "": lambda texts: _record(dict(texts)),
}
