"""``[services.NAME]``: accounts at services that make images. What is not set is the service's usual value."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from selector.config.section import Section
from selector.net.service import Service


class ServiceConfig(Section):
    """One account; all generators that name it share its limits."""

    base_url: str | None = Field(default=None, description="address of the service; regions differ")
    key_env: str | None = Field(default=None, description="name of the environment variable that holds the key")
    key_path: str | None = Field(default=None, description="or a file outside this folder that holds nothing else")
    running: int | None = Field(default=None, ge=1, le=1024, description="jobs under way at once")
    submits_per_second: float | None = Field(default=None, ge=0, description="0: as many as go")
    polls_per_second: float | None = Field(default=None, ge=0, description="questions for running jobs; 0: no limit")
    downloads: int | None = Field(default=None, ge=1, le=256, description="downloads at once from a host")
    timeout_seconds: float | None = Field(default=None, gt=0, description="of one request")
    job_seconds: float | None = Field(default=None, gt=0, description="wait so long for one job")
    max_retries: int | None = Field(default=None, ge=0, le=20, description="of a request that failed on its way")
    backoff_seconds: float | None = Field(default=None, gt=0, le=60, description="first wait; doubles each time")
    budget: float | None = Field(default=None, gt=0, description="money that it may cost in this campaign")
    currency: str | None = Field(default=None, max_length=8, description="of budget and prices")
    prices: dict[str, Annotated[float, Field(ge=0)]] | None = Field(
        default=None, description="money for an image, by model"
    )

    def over(self, usual: Service) -> Service:
        """The usual service with what is set here."""
        from dataclasses import replace

        given = {k: v for k, v in self.model_dump().items() if v is not None}
        if "key_path" in given:
            given.setdefault("key_env", "")
        elif "key_env" in given:
            given["key_path"] = ""
        return replace(usual, **given)
