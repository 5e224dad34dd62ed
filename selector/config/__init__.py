"""``campaign.toml``: reading, checking and writing it."""

from selector.config.campaign_config import (
    KIND,
    CampaignConfig,
    check_names,
    kind_of,
    parse_config,
    read_config,
    render_config,
)
from selector.config.generating import AS_IS, GenerateConfig, Step
from selector.config.sections import EmbeddingConfig, JudgeConfig, ScoreConfig, ServiceConfig

__all__ = [
    "AS_IS",
    "KIND",
    "CampaignConfig",
    "EmbeddingConfig",
    "GenerateConfig",
    "JudgeConfig",
    "ScoreConfig",
    "ServiceConfig",
    "Step",
    "check_names",
    "kind_of",
    "parse_config",
    "read_config",
    "render_config",
]
