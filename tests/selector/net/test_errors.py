"""What errors of today's services mean: by their codes, their words, their status; one table for all who ask."""

from __future__ import annotations

from typing import Any

import pytest
from costs import within

from selector.net import errors
from selector.net.errors import CHAT, JOB, PARAMETER, cure_of, error_in, meaning, provider_at, server_error, table
from selector.net.troubles import BUSY, FATAL, LOST, REFUSED, REJECTED, THROTTLED, Trouble

KINDS = {THROTTLED, BUSY, REFUSED, REJECTED, LOST, FATAL, PARAMETER}


def meant(status: int, body: Any, provider: str = "", use: str = CHAT, **headers: str) -> Trouble:
    text, body = (body, None) if isinstance(body, str) else ("", body)
    told = error_in(body) if status < 400 else body
    error = server_error(status, told, text)
    return meaning(error, headers, provider=provider, use=use)


def coded(code: Any, message: str = "", **more: Any) -> dict[str, Any]:
    return {"error": {"code": code, "message": message, **more}}


@pytest.mark.parametrize(
    ("status", "body", "cause"),
    [
        # DashScope, in its own form and in the compatible one
        (429, coded("insufficient_quota", "Over the plan's billing quota, see docs/error-code#token-limit"),
         "throttled"),
        (429, coded("insufficient_quota", "the quota recovers in a moment"), "throttled"),
        (429, {"code": "Throttling.RateQuota", "message": "too fast"}, "throttled"),
        (429, {"code": "Throttling.AllocationQuota", "message": "Free allocated quota exceeded"}, "no_money"),
        (403, {"code": "AccessDenied.Unpurchased", "message": "not eligible"}, "no_access"),
        (403, {"code": "Model.AccessDenied", "message": "workspace"}, "no_access"),
        (403, {"code": "Workspace.AccessDenied", "message": "no"}, "no_access"),
        (400, coded("Arrearage", "the account is not in good standing"), "no_money"),
        (401, coded("InvalidApiKey", "no"), "no_key"),
        (404, coded("model_not_found", "qwen-9 is not there"), "no_model"),
        (400, coded("data_inspection_failed", "the output was checked"), "refused"),
        (400, {"code": "InvalidParameter.DataInspection", "message": "the download timed out"}, "busy"),
        (400, {"code": "InvalidParameter", "message": "Range of input length should be 1 to 30720"}, "too_long"),
        (400, coded("invalid_parameter_error", "enable_thinking must be off for non-streaming calls"), "stream_only"),
        (500, {"code": "InternalError.Algo", "message": "inference failed"}, "busy"),
        # Gemini: also as a list, and as a text within the text
        (429, [coded(429, "Quota: 15 a minute. Please retry in 9.5s.", status="RESOURCE_EXHAUSTED")], "throttled"),
        (429, coded(429, '{"error": {"message": "limit: 0, model: big", "code": 429}}'), "no_quota"),
        (429, coded(429, "spent", details=[{"quotaId": "RequestsPerDayPerProject"}]), "quota_over"),
        (429, coded(429, "spent, see plan and billing", details=[{"retryDelay": "45s"}]), "throttled"),
        (429, coded(429, "No capacity now", status="RESOURCE_EXHAUSTED"), "throttled"),
        (429, coded(429, "see your plan and billing: toy/generate_requests_per_day, limit: 50"), "quota_over"),
        (400, [coded(400, "API key not valid.", status="INVALID_ARGUMENT")], "no_key"),
        (400, coded(400, "User location is not supported here", status="FAILED_PRECONDITION"), "wrong_region"),
        (403, coded(403, "denied", status="PERMISSION_DENIED"), "no_access"),
        (404, coded(404, "models/gemini-0 is not found for this version", status="NOT_FOUND"), "no_model"),
        (503, coded(503, "The model is overloaded", status="UNAVAILABLE"), "busy"),
        # OpenRouter: errors within a good reply, and of the provider behind
        (404, coded(404, "No endpoints found that support image input"), "no_pictures"),
        (404, coded(404, "No endpoints found for acme/toy"), "no_model"),
        (404, coded(404, "No endpoints found matching your data policy"), "no_access"),
        (404, coded(404, "No allowed providers are available"), "no_route"),
        (400, coded(400, "acme/toy is not a valid model ID"), "no_model"),
        (402, coded(402, "Insufficient credits"), "no_money"),
        (402, coded(402, "wait", metadata={"limit_source": "openrouter_in_flight_budget"}), "throttled"),
        (403, coded(403, "Input was flagged", metadata={"reasons": ["violence"], "flagged_input": "balance low"}),
         "refused"),
        (429, coded(429, "Provider returned error", metadata={"raw": "toy is limited upstream. Retry shortly"}),
         "throttled"),
        (400, coded(400, "Provider returned error", metadata={"raw": '{"error":{"message":"at most 1 image"}}'}),
         "too_many_pictures"),
        (200, {"choices": [{"error": {"code": 502, "message": "it fell over"}}]}, "busy"),
        (200, {"error": {"code": 429, "message": "slow"}, "choices": None}, "throttled"),
        (200, {"error": "the model's server is overloaded"}, "busy"),
        (200, {"error": {"message": "blocked by content policy"}}, "refused"),
        # SiliconFlow, Zhipu, Ark, MiniMax
        (403, {"code": 30001, "message": "余额不足", "data": None}, "no_money"),
        (400, {"code": 20012, "message": "Model does not exist."}, "no_model"),
        (429, {"code": 50603, "message": "too much. Details: TPM limit reached."}, "throttled"),
        (503, {"code": 50505, "message": "busy"}, "busy"),
        (451, {"message": "unsafe content"}, "refused"),
        (429, coded("1302", "并发数过高"), "throttled"),
        (429, coded("1305", "访问量过大"), "throttled"),
        (429, coded("1304", "今日限额"), "quota_over"),
        (429, coded("1113", "您的账户已欠费"), "no_money"),
        (400, coded("1211", "模型不存在"), "no_model"),
        (400, coded("1261", "Prompt 超长"), "too_long"),
        (401, coded("1002", "Token 非法"), "no_key"),
        (403, coded("AccountOverdueError", "overdue"), "no_money"),
        (404, coded("ModelNotOpen", "the account has not activated the model"), "no_access"),
        (404, coded("InvalidEndpointOrModel.NotFound", "does not exist or you do not have access to it"), "no_model"),
        (400, coded("InputImageSensitiveContentDetected", "no"), "refused"),
        (429, coded("ServerOverloaded", "busy"), "throttled"),
        (429, coded("SetLimitExceeded", "paused"), "quota_over"),
        (200, {"base_resp": {"status_code": 1008, "status_msg": "insufficient balance"}}, "no_money"),
        # OpenAI, Azure
        (429, coded("rate_limit_exceeded", "Limit 30000, used 29000. Try again in 2.1s, or pay at host/billing"),
         "throttled"),
        (429, coded("insufficient_quota", "You exceeded your current quota"), "no_money"),
        (429, coded("rate_limit_exceeded", "Request too large on tokens per min: limit 30000"), "too_long"),
        (400, coded("context_length_exceeded", "8192"), "too_long"),
        (400, coded("content_filter", "no", innererror={"code": "ResponsibleAIPolicyViolation"}), "refused"),
        (400, coded("invalid_prompt", "it was flagged as against our usage policy"), "refused"),
        (403, coded("unsupported_country_region_territory", "no"), "wrong_region"),
        (404, coded("DeploymentNotFound", "The API deployment is not there"), "no_model"),
        (429, coded("429", "Over the token rate limit. Please retry after 17 seconds."), "throttled"),
        (400, coded("billing_hard_limit_reached", "no"), "no_money"),
        # vLLM, SGLang, Ollama, LM Studio, llama.cpp, LiteLLM, Anthropic's form, one-api, FastAPI
        (400, {"object": "error", "message": "At most 1 image(s) may be provided", "code": 400}, "too_many_pictures"),
        (400, {"object": "error", "message": "maximum context length is 4096 tokens", "code": 400}, "too_long"),
        (400, {"message": "System role not supported", "code": 400}, "no_role"),
        (400, {"message": "toy is not a multimodal model", "code": 400}, "no_pictures"),
        (404, {"message": "The model `x` does not exist.", "code": 404}, "no_model"),
        (404, coded(None, 'model "llava" not found, try pulling it first'), "no_model"),
        (400, coded(None, "this model does not support image input (ref: 1)"), "no_pictures"),
        (400, {"error": "Model does not support images. Use another."}, "no_pictures"),
        (500, coded(500, "image input is not supported: you may need the mmproj"), "no_pictures"),
        (400, coded("unknown", "Failed to load image: cannot identify image file"), "bad_media"),
        (400, coded(None, "image format webp is not supported"), "bad_media"),
        (400, coded("400", "Budget has been exceeded! Current cost: 14, max budget: 10"), "no_money"),
        (429, coded("429", "No deployments available. Try again in 60 seconds"), "throttled"),
        (400, {"type": "error", "error": {"type": "invalid_request", "message": "Your credit balance is too low"}},
         "no_money"),
        (529, {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}, "busy"),
        (503, coded("model_not_found", "无可用渠道"), "no_model"),
        (422, {"detail": [{"loc": ["body", "messages"], "msg": "field required", "input": "balance too low"}]},
         "rejected"),
        (400, coded(None, "Failed to deserialize: unknown variant `image_url`, expected `text`"), "no_pictures"),
        # by the status alone
        (404, "404 page not found", "wrong_address"),
        (404, "<html>nginx</html>", "wrong_address"),
        (405, None, "wrong_address"),
        (403, "Forbidden", "no_access"),
        (400, coded("bad", "n is wrong"), "rejected"),
        (413, "<html>Request Entity Too Large</html>", "too_long"),
        (418, None, "rejected"),
        (599, None, "busy"),
    ],
)  # fmt: skip
def test_causes(status: int, body: Any, cause: str) -> None:
    assert meant(status, body).cause == cause


def test_a_word_that_means_something_else_at_one_provider() -> None:
    body = coded("insufficient_quota", "You exceeded your current quota, see plan and billing details")
    assert meant(429, body).kind == FATAL
    assert meant(429, body, "dashscope").kind == THROTTLED
    assert [provider_at(h) for h in ("dashscope.aliyuncs.com", "api.openai.com", "x.openai.azure.com")] == [
        "dashscope", "", "azure",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("status", "body", "cause"),
    [
        # one bad picture is not a model without eyes
        (400, coded(None, "Could not process image"), "bad_media"),
        (400, coded(None, "Unable to process input image. Look at it again."), "bad_media"),
        (400, coded(None, "Cannot process this image, it may be damaged"), "bad_media"),
        (400, coded(None, "The model cannot process this image"), "bad_media"),
        (400, coded(None, "This is not a supported image"), "bad_media"),
        (500, coded(None, "Unable to process the image: CUDA out of memory"), "busy"),
        (400, coded(None, "image_url: this host is not allowed to access an image there"), "rejected"),
        (400, coded(None, "the image at that place is not available"), "rejected"),
        (400, coded(None, "The image given could not be read: picture cannot be opened"), "bad_media"),
        (400, coded(None, "This model cannot process images"), "no_pictures"),
        (400, coded(None, "image_url is only supported by some models"), "no_pictures"),
        (400, coded(None, "the model does not support image_url"), "no_pictures"),
        (400, coded(None, "the deployment is not able to process image input"), "no_pictures"),
        (400, coded(None, "this endpoint doesn't accept images"), "no_pictures"),
        # numbers of MiniMax, which Zhipu has for keys
        (200, {"base_resp": {"status_code": 1000, "status_msg": "unknown error"}}, "busy"),
        (200, {"base_resp": {"status_code": 1001, "status_msg": "timed out"}}, "busy"),
        (200, {"base_resp": {"status_code": 1002, "status_msg": "rate limit"}}, "throttled"),
        (200, {"base_resp": {"status_code": 1004, "status_msg": "login fail"}}, "no_key"),
        (200, {"base_resp": {"status_code": 1026, "status_msg": "input new_sensitive"}}, "refused"),
        (400, coded("1003", "a field is wrong"), "rejected"),
        # money that does not come back by itself, and servers that do not recover
        (403, coded("x", "您的账户已欠费，请充值后恢复使用"), "no_money"),
        (429, coded("1113", "余额不足，请充值后恢复"), "no_money"),
        (403, coded("x", "The balance is negative; the service will recover after you top up"), "no_money"),
        (503, coded("x", "engine in an unrecoverable state"), "busy"),
        (503, coded("x", "failed to recover the engine"), "busy"),
        (429, coded("insufficient_quota", "quota will be recovered after the minute ends"), "throttled"),
        (429, coded("x", "额度将在一分钟内恢复"), "throttled"),
        # what is left now is not what is allowed ever
        (429, coded("x", "Remaining limit: 0. Try again in 20s"), "throttled"),
        (429, coded("x", "Limit: 0 remaining of 20 per minute"), "throttled"),
        (429, coded("x", "limit: 0 requests left"), "throttled"),
        (429, coded("x", "Quota exceeded, limit: 0"), "no_quota"),
        (500, coded(None, "model crashed: unknown error"), "busy"),
        (503, coded(None, "the model's worker was not found"), "busy"),
        (400, coded(None, "unknown model toy"), "no_model"),
        # sensitive to case
        (400, coded("x", "模型名称大小写敏感，请检查"), "rejected"),
        (400, coded("x", "field names are case sensitive words"), "rejected"),
        (400, coded("x", "内容敏感，不能生成"), "refused"),
        (400, coded("x", "图片可能包含敏感内容"), "refused"),
        (400, coded("x", "输入涉及敏感，请修改"), "refused"),
    ],
)  # fmt: skip
def test_words_that_sound_alike_are_told_apart(status: int, body: Any, cause: str) -> None:
    assert meant(status, body).cause == cause


def test_numbers_of_zhipu_are_its_own() -> None:
    assert meant(400, coded("1003", "expired"), provider_at("open.bigmodel.cn")).cause == "no_key"


def test_pictures_and_jobs_are_known_to_who_asks_for_them() -> None:
    assert meant(404, {"code": "", "message": ""}, use=JOB).kind == LOST
    assert meant(400, {"code": "x", "message": "the task does not exist"}, use=JOB).kind == LOST
    assert meant(400, coded(None, "response_format must be b64_json")).kind == PARAMETER
    assert meant(400, coded(None, "response_format must be b64_json"), use="").kind == REJECTED


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("Please retry in 38.2s.", 38.2),
        ("Try again in 1m30s", 90.0),
        ("please try again in 20ms", 0.02),
        ("Please retry after 17 seconds, or ask for more", 17.0),
        ("the quota will reset after 3s", 3.0),
        ("Please wait for 2 minutes and 5 seconds", 125.0),
        ("try again in about 5 min", 300.0),
        ("请 30 秒后重试", 30.0),
        ("请在2分钟后再试", 120.0),
        ("retry 3 times, then give up", None),
        ("try again later", None),
        ("took 30 s", None),
        ("retry in 5 steps", None),
    ],
)
def test_a_wait_in_words_is_kept(said: str, seconds: float | None) -> None:
    assert server_error(429, coded("x", said)).wait_seconds == (None if seconds is None else pytest.approx(seconds))
    assert meant(429, coded("x", said)).retry_after_seconds == (None if seconds is None else pytest.approx(seconds))


@pytest.mark.parametrize("words", ["9", "reset", "recover", "again ", "1s", "1 s ", "9.", "9'", "wait a ", "等待 "])
def test_a_wait_is_looked_for_in_time_that_grows_with_the_words(words: str) -> None:
    with within(0.5):  # some 0.01 s; the cubes of these lengths take hours
        server_error(429, coded("x" + words * 4000, words * 4000)).wait_seconds  # noqa: B018


def test_the_longer_of_two_waits_counts() -> None:
    body = coded(429, "Please retry in 3s", details=[{"@type": "RetryInfo", "retryDelay": "45s"}])
    assert meant(429, body).retry_after_seconds == 45.0
    assert meant(429, body, **{"retry-after": "60"}).retry_after_seconds == 60.0


def test_the_sentence_of_the_server_is_shown_without_ids_addresses_and_the_key() -> None:
    said = "no way for sk-secret-1234567 (request 3f2504e0-4f89-11d3-9a0c)\x1b[31m\nsee https://host/x end"
    found = meaning(server_error(400, coded("odd_code", said), key="sk-secret-1234567"), {})
    assert found.said == "odd_code: no way for *** (request …) see … end"
    assert "3f2504e0" not in found.whole and "https" not in found.whole and "\n" not in found.whole
    assert found.reason == "the server rejected the request (HTTP 400)", "equal errors are counted together"
    assert len(meaning(server_error(400, coded("x", "long " * 500)), {}).said) < 250


def test_the_sentence_is_that_of_the_server_behind() -> None:
    raw = '{"error":{"type":"invalid_request_error","message":"takes 1 image a prompt"}}'
    assert "takes 1 image a prompt" in meant(400, coded(400, "Provider returned error", metadata={"raw": raw})).said


@pytest.mark.parametrize(
    "error", [{"message": ""}, {"message": "", "code": None}, {"code": 0, "message": "success"}, "", {}, {"code": 200}]
)
def test_an_error_without_words_beside_a_good_reply_is_none(error: Any) -> None:
    good = {"choices": [{"message": {"content": "{}"}}]}
    assert error_in({**good, "error": error}) is None
    assert error_in({"choices": [{**good["choices"][0], "error": error}]}) is None
    assert error_in({**good, "error": {"message": "", "code": 502}}) == {"message": "", "code": 502}


def test_what_repeats_the_request_decides_nothing() -> None:
    assert meant(400, {"detail": [{"msg": "bad", "input": "rate limit, api key invalid, overdue"}]}).cause == "rejected"


@pytest.mark.parametrize(
    "body", [None, [], {}, [[]], {"error": []}, {"error": {"message": {"a": [1]}}},
             {"error": {"error": {"error": 1}}}, 7,
             {"message": "{" * 50}, {"error": {"metadata": {"raw": "[" * 9}, "message": "error"}}]
)  # fmt: skip
@pytest.mark.parametrize("status", [200, 400, 503])
def test_no_body_breaks_it(status: int, body: Any) -> None:
    assert meaning(server_error(status, body), {}).kind in KINDS


def test_a_code_and_a_parameter_are_names_and_no_more() -> None:
    found = server_error(400, {"detail": {"": {}}, "code": "a" * 3000, "param": "b" * 3000})
    assert max(len(found.code), len(str(found.param))) == 100
    assert len(meaning(found, {}).whole) < 500


def test_every_rule_says_where_it_was_seen_and_every_cause_is_a_known_kind() -> None:
    found = table()
    assert all(rule.source for rule in found.rules) and len(found.rules) > 40
    assert {cause.kind for cause in found.causes.values()} <= KINDS
    assert {rule.cause for rule in found.rules} | {"rejected", "busy"} == set(found.causes)
    assert all(cause.cure for cause in found.causes.values() if cause.kind in (FATAL, THROTTLED, REJECTED, REFUSED))


def test_a_stored_reason_finds_its_cure_again() -> None:
    trouble = meant(400, {"message": "At most 1 image(s) may be provided", "code": 400})
    assert cure_of(trouble.reason) == trouble.cure != ""
    assert cure_of("the server failed (HTTP 503)") and not cure_of("the reply is empty")
    assert errors.table() is table()


@pytest.mark.parametrize("code", ["\n", "a\nb", "\r\n slow "])
def test_a_code_that_holds_a_lines_end_is_one_line(code: str) -> None:
    found = server_error(400, {"detail": "no", "code": code})
    assert found.code == " ".join(code.split())
