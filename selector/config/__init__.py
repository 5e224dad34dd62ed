"""``campaign.toml``: reading, checking and writing it."""

from selector.config._campaign_config import (
    IMPORTED,
    KIND,
    CampaignConfig,
    check_names,
    kind_of,
    parse_config,
    read_config,
    render_config,
    scorer_kind_of,
)
from selector.config._generating import AS_IS, Step
from selector.config._sections import MOST_PASSES, EngineConfig, JudgeConfig, ScoreConfig

__all__ = [
    "AS_IS",
    "IMPORTED",
    "KIND",
    "MOST_PASSES",
    "CampaignConfig",
    "EngineConfig",
    "JudgeConfig",
    "ScoreConfig",
    "Step",
    "check_names",
    "kind_of",
    "parse_config",
    "read_config",
    "render_config",
    "scorer_kind_of",
]
