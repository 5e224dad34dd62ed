"""openai_images: any service that speaks OpenAI's images API, text to image and edits by an instruction."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from generators._dialects import JSON, images_dialect, placed
from generators._hosted import HostedImages
from generators._openai_replies import Complaint, deliveries_of, ticket_of, trouble_of
from generators._openai_requests import MATCH, Fields, Wishes
from generators._uploads import data_address
from selector.domain import (
    BestshotError,
    GenerationFailed,
    JSONValue,
    OutOfResources,
    Recipe,
    TaskInputs,
)
from selector.domain.remote import Delivery, ServiceStopped, Ticket, TicketLost
from selector.net import Account, Answer, Interrupted, OutOfBudget, Service, Trouble, Unanswered, jobs
from selector.net.http import NO_JSON
from selector.net.troubles import BUSY, FATAL, REJECTED

OPENAI_HOST = "api.openai.com"
MOST_LESSONS = 5  # requests in which what the server refuses is learned: two things, by several threads
_NO_API = "the server's reply is no JSON: check base_url, which usually ends with /v1"
_REPLY_BYTES, _IMAGE_BYTES = 32 << 20, 16 << 20  # the most of a reply, and more for each image of it


class OpenAIImages(HostedImages):
    """openai_images: any service that speaks OpenAI's images API, text to image and edits by an instruction.

    Makes: for ``t2i`` the pictures of ``POST {base_url}/images/generations``; for ``tie`` and ``vttie`` those of ``POST
        {base_url}/images/edits`` with the source as PNG, brought back to the source's size (the middle part where the
        proportions differ; nothing is stretched).
    Input: the prompt as it is handed over; the prompt that a service made of it is noted.
    Model and licence: whatever ``model`` names, under the service's terms.
    Source: OpenAI's API reference; address, key, limits and money are those of the service ``openai``
        (``[services.openai]``: ``base_url``, ``key_env``, ``running``, ``prices``...).
    Cost: money an image, which OpenAI counts in tokens (noted as ``request_tokens_out``); 5 to 120 s each.

    Settings: ``model`` (no default: services retire them); ``dialect``, whose names and address are meant, one of those
        in ``openai_dialects.toml`` (``seedream``, ``siliconflow``, ``deepinfra``, ``vllm-omni``, ``together``), and
        ``fields``, names other than the dialect's (``{ seed = "seed", pictures = "images" }``); ``size`` of text to
        image and ``edit_size`` of edits, "auto" or "WIDTHxHEIGHT", for edits also "match", the source's proportions at
        about one megapixel; ``quality``; ``steps`` and ``guidance``, where the dialect has them; ``batch``, images in
        one request; ``response_format``, "url" or "b64_json", where the server needs it (current models of OpenAI
        refuse it, which is learned from the refusal); ``negative_prompt``, ``negative_field`` and ``seed_field``, short
        for two of ``fields``; ``extra``, further fields as they are (``{ moderation = "low" }``); ``upload_least_px``,
        ``upload_most_px``, between which a source's sides are brought; ``timeout`` in seconds instead of the service's.
        What is not set is not sent.

    OpenAI takes no seed. Recipes still differ by one, so that n candidates are n images; but only where the dialect has
    one, or ``seed_field`` is set, does the same recipe give the same picture again. What was made is kept, and is never
    asked for twice.
    Fails: ``Declined`` where the content check refuses; ``ServiceStopped`` for a wrong key, model or value of a
        setting, and where the account has no money; ``GenerationFailed`` for damaged and missing images. The API
        answers at once and has no job to resume: what was on its way in a crash is lost and, maybe, paid. Tested
        against a server on loopback that speaks the documented protocol;
        never against a real service.

    Example:
        With the key of ``[services.openai]`` set; in ``campaign.toml``:

        [generators.openai_images]
        model = "gpt-image-1"
        quality = "medium"
    """

    name = "openai_images"
    free_settings = ("batch", "timeout")  # they change no picture
    version = "1"
    usual_service = Service(
        "openai", "https://api.openai.com/v1", key_env="OPENAI_API_KEY", timeout_seconds=300.0, currency="USD"
    )

    def __init__(
        self,
        model: str = "",
        size: str = "",
        edit_size: str = "",
        quality: str = "",
        batch: int = 1,
        response_format: str = "",
        negative_prompt: str = "",
        negative_field: str = "",
        seed_field: str = "",
        steps: int = 0,
        guidance: float | None = None,
        dialect: str = "openai",
        fields: Mapping[str, JSONValue] | None = None,
        extra: Mapping[str, JSONValue] | None = None,
        upload_least_px: int = 512,
        upload_most_px: int = 2048,
        timeout: float = 0.0,
        account: Account | None = None,
    ) -> None:
        own = {name: value for name, value in (("negative", negative_field), ("seed", seed_field)) if value}
        spoken = images_dialect(dialect, {**(fields or {}), **own})
        further = (negative_prompt, steps, guidance, dict(extra or {}))
        self._wishes = Wishes(model, spoken, size, edit_size, quality, response_format, batch, *further)
        self._wishes.check()
        account = account or Account(self.service_for({"dialect": dialect}))
        super().__init__(model, (upload_least_px, upload_most_px), account)
        self._fields = Fields(self._wishes)
        self._timeout_seconds = timeout

    @classmethod
    def service_for(cls, settings: Mapping[str, Any]) -> Service:
        """The service that speaks a dialect; raises ``InputError`` for an unknown one."""
        spoken = images_dialect(str(settings.get("dialect", "openai")))
        return replace(
            cls.usual_service,
            name=spoken.service,
            base_url=spoken.base_url,
            key_env=spoken.key_env,
            currency=spoken.currency,
        )

    def batches(self, recipes: Sequence[Recipe]) -> Sequence[Sequence[Recipe]]:
        """At most ``batch`` each; where seeds are sent, of consecutive ones, because image i has the first seed + i."""
        most = 1 if self._fields.one_each else self._wishes.batch
        return jobs.runs_of(recipes, most, lambda a, b: not self._wishes.dialect.seed or b.seed == a.seed + 1)

    def submit(self, inputs: TaskInputs, recipes: Sequence[Recipe]) -> Ticket:
        """Ask for the images; where fewer come, for the rest again. Raises as ``Account.call`` does."""
        self.check_task(inputs)
        upload = self.upload(inputs)
        came: list[Delivery] = []
        while len(came) < len(recipes):
            rest = recipes[len(came) :]
            try:
                new = self._ask(inputs, upload, rest)[: len(rest)]
            except BestshotError as error:
                if not came:
                    raise
                new = [Delivery(error=_of_the_rest(error))] * len(rest)  # what came before is paid for, and stays
            came += new
        return ticket_of(came)

    def poll(self, ticket: Ticket) -> Sequence[Delivery] | None:
        """The addresses that the ticket holds; raises ``TicketLost`` where the service had sent the images at once."""
        if not ticket.resumable:
            raise TicketLost("openai_images: the images came with the answer alone and cannot be asked for again")
        return jobs.deliveries_in(ticket.facts)

    def _ask(self, inputs: TaskInputs, upload: bytes | None, recipes: Sequence[Recipe]) -> list[Delivery]:
        """One request, sent otherwise as long as the server complains of its form."""
        source_px = None if inputs.source is None else inputs.source.size
        for _ in range(MOST_LESSONS):
            fields, further = self._fields.of(len(recipes), recipes[0].seed, source_px)

            def send(fields: dict[str, Any] = fields, further: dict[str, Any] = further) -> Any:
                came = self._send(upload, inputs.task.prompt, fields, further)
                if isinstance(came, Complaint) and not self._fields.learn(came, fields):
                    return self._wrong_setting(came)
                return came

            came = self.account.call(send, self.account.submits)
            if isinstance(came, Complaint):
                continue
            found = deliveries_of(came, self.account.service.base_url, self._wishes.dialect)
            if not found:
                raise GenerationFailed("the service answered without an image")
            return found
        raise GenerationFailed("the service refuses every form of the request")

    def _send(
        self, upload: bytes | None, prompt: str, fields: Mapping[str, Any], further: Mapping[str, Any]
    ) -> Answer | Trouble | Complaint:
        """One request, of an uploaded PNG or of the prompt alone; an answer holds a JSON object."""
        asked = {"model": self.model, "prompt": prompt, **fields, **further}
        body: dict[str, Any] = {"json": asked}
        in_json = self._wishes.dialect.edits == JSON
        if upload is not None and in_json:
            body = {"json": {**asked, **placed(self._wishes.dialect.image, data_address(upload, "png"))}}
        elif upload is not None:
            # The name is fixed: nothing of the contest's files is told, and no server has to read Chinese names.
            body = {"form": asked, "files": {"image": ("source.png", upload, "image/png")}}
        came = self.account.request(
            "POST",
            "/images/generations" if upload is None or in_json else "/images/edits",
            self._timeout_seconds,
            headers=_of_openai(self.account.service.host),
            most_bytes=_REPLY_BYTES + _IMAGE_BYTES * int(fields.get(self._wishes.dialect.n, 1)),
            **body,
        )
        if isinstance(came, Trouble):
            return replace(came, reason=_NO_API) if came.reason == NO_JSON else came
        told = came.body if isinstance(came.body, dict) else {}
        error = told.get("error")
        if came.status < 400 and not error:
            return came if told else Trouble(BUSY, _NO_API)
        error = self._shown(error or told or came.text)
        key_env = self.account.service.key_env
        where = f"the environment variable {key_env}" if key_env else ""
        status, headers = (came.status, came.headers) if came.status >= 400 else (400, {})
        return trouble_of(status, error, headers, (*fields, *further), where)

    def _shown(self, error: Any) -> Any:
        """What a server says of an error, cleaned once more, as for a reader; nothing of a web page."""
        if isinstance(error, dict):
            return {name: self._shown(told) for name, told in error.items()}
        return "" if str(error).lstrip().startswith("<") else self.account.clean(str(error)) if error else error

    def _wrong_setting(self, complaint: Complaint) -> Trouble:
        name, words = complaint.parameter, f" ({complaint.told})" if complaint.told else ""
        if name == "size" and self._wishes.edit_size == MATCH:
            return Trouble(REJECTED, f"the server does not take the size that matches the source{words}")
        return Trouble(FATAL, f"the server does not take `{name}`: change it in [generators.openai_images]{words}")

    def notes(self, inputs: TaskInputs, recipe: Recipe) -> dict[str, JSONValue]:
        """What was asked, under our names; the seed where it was sent."""
        wishes = self._wishes
        asked: dict[str, JSONValue] = {
            "model": self.model,
            "prompt": inputs.task.prompt,
            "size": wishes.size if inputs.source is None else wishes.edit_size,
            "quality": wishes.quality,
            "negative_prompt": wishes.negative_prompt,
            "steps": wishes.steps or None,
            "guidance": wishes.guidance,  # 0 is a strength, too
            "seed": recipe.seed if wishes.dialect.seed else None,
        }
        return {name: value for name, value in asked.items() if value not in ("", None)}


def _of_openai(host: str) -> dict[str, str]:
    """What the environment holds for OpenAI, and for no other host."""
    names = {"OpenAI-Organization": "OPENAI_ORG_ID", "OpenAI-Project": "OPENAI_PROJECT_ID"}
    return {name: os.environ[at] for name, at in names.items() if host == OPENAI_HOST and os.environ.get(at)}


def _of_the_rest(error: BestshotError) -> BestshotError:
    """Of images that were not asked for, as the run or the money ends or nothing answers: they are asked for anew."""
    stopped = isinstance(error, (Interrupted, ServiceStopped, OutOfBudget, OutOfResources, Unanswered))
    return TicketLost(f"not asked for any more: {error}") if stopped else error
