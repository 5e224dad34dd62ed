"""``campaign.toml`` as text, each key with its comment."""

from __future__ import annotations

import json
from typing import Any

from pydantic import BaseModel

from selector.config.campaign_config import CampaignConfig
from selector.config.generating import StepConfig

_EXAMPLES = {  # commented lines of tables that only some campaigns have
    "scorers": ("[scorers.NAME]", 'setting = "value"'),
    "generators": ("[generators.wanx-plus]", 'kind = "dashscope"', 'model = "wanx2.1-t2i-plus"'),
    "services": ("[services.dashscope]", "running = 2", "budget = 50.0"),
    "judges": ("[judges.NAME]", 'base_url = "http://localhost:8000/v1"', 'model = "MODEL"', 'key_env = "MY_API_KEY"'),
}


def render_config(config: CampaignConfig) -> str:
    """The file as text, each key with its comment; reading it back gives an equal configuration."""
    lines = ["# What this campaign makes, scores and exports. Change it and run the same verbs again.", ""]
    tables: list[tuple[str, str, BaseModel]] = []
    for key, field in CampaignConfig.model_fields.items():
        value = getattr(config, key)
        if isinstance(value, BaseModel):
            tables.append((key, field.description or "", value))
        elif not isinstance(value, dict):
            lines += [f"# {field.description}", f"{key} = {_toml(value)}", ""]
    for key, description, model in tables:
        lines += [f"# {description}", f"[{key}]"]
        for sub_key, field in type(model).model_fields.items():
            lines += [f"# {field.description}", f"{sub_key} = {_toml(getattr(model, sub_key))}"]
        lines.append("")
    own = {key: {name: _set(table) for name, table in getattr(config, key).items()} for key in ("judges", "services")}
    named = {"generators": config.generators, "scorers": config.scorers, **own}
    for key, plug_ins in named.items():
        lines += [f"# {CampaignConfig.model_fields[key].description}"]
        lines += [] if plug_ins else [f"# {line}" for line in _EXAMPLES.get(key, ())]
        for name, settings in plug_ins.items():
            lines += [f"[{key}.{_key(name)}]", *(f"{_key(k)} = {_toml(v)}" for k, v in settings.items())]
        lines.append("")
    if config.finish:
        lines += ["[finish]", *(f"{_key(k)} = {_toml(v)}" for k, v in config.finish.items())]
    return "\n".join(lines).rstrip() + "\n"


def _set(table: BaseModel) -> dict[str, Any]:
    return table.model_dump(exclude_defaults=True)


def _toml(value: Any) -> str:
    if isinstance(value, StepConfig) and value == StepConfig(n=value.n):
        return str(value.n)
    if isinstance(value, StepConfig) and not value.n and not value.reserve:
        return _toml({"n": 0, **_set(value)})  # a table has to say how many
    if isinstance(value, BaseModel):
        return _toml(_set(value))
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{_key(k)} = {_toml(v)}" for k, v in value.items()) + " }" if value else "{}"
    if isinstance(value, list):
        return "[" + ", ".join(_toml(v) for v in value) + "]"
    # A JSON string or number is a TOML one, except for DEL and a lone NaN, which no key here holds.
    return json.dumps(value, ensure_ascii=False)


def _key(name: str) -> str:
    return name if name.replace("_", "").replace("-", "").isalnum() and name.isascii() else json.dumps(name)
