"""What a failed request means, by the words and codes of the servers that are out there."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest

from selector.llm._troubles import PARAMETER, Unsupported, trouble_of
from selector.net.errors import server_error
from selector.net.troubles import BUSY, FATAL, REFUSED, REJECTED, THROTTLED, Trouble, retry_after


def meant(status: int, message: str, body: object, headers: dict[str, str]) -> Trouble:
    error = {"message": message, **body} if isinstance(body, dict) else message
    return trouble_of(server_error(status, {"error": error}), headers)


@pytest.mark.parametrize(
    ("status", "message", "body", "kind"),
    [
        (429, "Rate limit reached", {"code": "rate_limit_exceeded"}, THROTTLED),
        (429, "Requests rate limit exceeded", {"code": "limit_requests"}, THROTTLED),
        (429, "Too many requests; pay for more at https://host/account/billing.", {"code": "rate_limit"}, THROTTLED),
        (429, "You used your quota, check your plan and billing details", {}, FATAL),
        (403, "Your account is not active", {"code": "billing_not_active"}, FATAL),
        (429, "You exceeded your current quota", {"code": "insufficient_quota"}, FATAL),
        (429, "Allocated quota exceeded", {"code": "Throttling.AllocationQuota"}, THROTTLED),
        (400, "Access denied, account is not in good standing", {"code": "Arrearage"}, FATAL),
        (402, "Insufficient Balance", {}, FATAL),
        (401, "Incorrect API key provided", {"code": "invalid_api_key"}, FATAL),
        (403, "Forbidden", {}, FATAL),
        (404, "The model `x` does not exist", {"code": "model_not_found"}, FATAL),
        (404, 'model "llava" not found, try pulling it first', {}, FATAL),
        (404, "404 page not found", "404 page not found", FATAL),
        (405, "Method Not Allowed", None, FATAL),
        (400, "Invalid parameter: 'response_format' of type 'json_schema' is not supported", {}, PARAMETER),
        (422, "extra fields not permitted", {"param": "response_format"}, PARAMETER),
        (404, "No endpoints found that support the structured output", {}, PARAMETER),
        (500, 'response_format type must be one of "text" or "json_object", but got: json_schema', {}, PARAMETER),
        (400, "Unsupported parameter: 'max_tokens'", {"param": "max_tokens"}, PARAMETER),
        (400, "Unsupported value: 'temperature' does not support 0", {"param": "temperature"}, PARAMETER),
        (400, "Input data may contain inappropriate content", {"code": "data_inspection_failed"}, REFUSED),
        (400, "The response was filtered", {"code": "content_filter"}, REFUSED),
        (403, "blocked by moderation", {"code": "content_policy_violation"}, REFUSED),
        (400, "image too small", {"code": "invalid_image"}, REJECTED),
        (413, "Request Entity Too Large", "<html>", REJECTED),
        (408, "timeout", {}, BUSY),
        (409, "conflict", {}, BUSY),
        (500, "oops", None, BUSY),
        (503, "overloaded", [], BUSY),
    ],
)
def test_kinds(status: int, message: str, body: object, kind: str) -> None:
    assert meant(status, message, body, {}).kind == kind


def test_the_rejected_parameter_is_named() -> None:
    for message, body, name in (("no", {"param": "seed"}, "seed"), ("json_schema is unknown", {}, "response_format")):
        trouble = meant(400, message, body, {})
        assert isinstance(trouble, Unsupported) and trouble.parameter == name


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "0.5"}, 0.5),
        ({"retry-after-ms": "250", "retry-after": "9"}, 0.25),
        ({"retry-after": "Tue, 01 Jul 2025 12:00:30 GMT"}, 30.0),
        ({"retry-after": "Tue, 01 Jul 2025 11:00:00 GMT"}, 0.0),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "-3"}, None),
        ({"retry-after": "nan"}, None),
        ({}, None),
    ],
)
def test_retry_after_is_a_number_or_a_date(headers: dict[str, str], seconds: float | None) -> None:
    now = datetime(2025, 7, 1, 12, 0, tzinfo=timezone.utc)
    assert retry_after(headers, now) == seconds
    if "GMT" not in headers.get("retry-after", ""):
        assert meant(429, "", {}, headers).retry_after_seconds == seconds


def test_reasons_hold_no_text_of_the_server_which_stands_beside_them() -> None:
    trouble = meant(400, "request 17 is bad", {}, {})
    assert "17" not in trouble.reason and trouble.said == "request 17 is bad"
