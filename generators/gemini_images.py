"""gemini_images: images from Gemini's image models by its own API, text to image and edits by an instruction."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from generators._hosted import HostedImages
from selector.domain import BestshotError, Declined, GenerationFailed, InputError, JSONValue, Recipe, TaskInputs
from selector.domain.remote import Delivery, Ticket, TicketLost
from selector.net import Account, Answer, Service, Trouble
from selector.net.troubles import BUSY

_REPLY_BYTES = 48 << 20
_KEPT = 300  # characters of what it says instead of a picture
_REFUSALS = ("SAFETY", "PROHIBITED_CONTENT", "BLOCKLIST", "SPII", "RECITATION")  # also behind IMAGE_
_OWN = ("responseModalities", "imageConfig")


class GeminiImages(HostedImages):
    """gemini_images: images from Gemini's image models by its own API, text to image and edits by an instruction.

    Makes: one image a request of ``POST {base_url}/models/MODEL:generateContent``; for ``tie`` and ``vttie`` with the
        source beside the words, brought back to the source's size.
    Input: the prompt as it is handed over.
    Model and licence: whatever ``model`` names, under the service's terms. The service puts an invisible mark in.
    Source: Google's API reference and reports of users. Tested against a server on loopback that speaks it; never
        against the service itself.
    Cost: money an image, which ``[services.gemini] prices`` states (it counts tokens, noted as ``request_tokens_out``);
        5 to 60 s each.

    Settings: ``model`` (no default: services retire them); ``aspect_ratio`` ("3:2") and ``image_size`` ("2K") of text
        to image; ``extra``, further fields of ``generationConfig`` (``{ temperature = 0.8 }``); ``upload_least_px``,
        ``upload_most_px``, between which a source's sides are brought.

    No seed is sent, since its pictures do not follow from one: what was made is kept, and never asked for twice.
    Fails: ``Declined`` where prompt or picture are blocked, with the service's reason; ``GenerationFailed`` where it
        answers in words alone; ``ServiceStopped`` for a wrong key or model. It answers at once: what was on its way in
        a crash is lost and, maybe, paid.

    Example:
        With ``GEMINI_API_KEY`` set; in ``campaign.toml``:

        [generators.gemini_images]
        model = "gemini-2.5-flash-image"
    """

    name = "gemini_images"
    version = "1"
    usual_service = Service(
        "gemini",
        "https://generativelanguage.googleapis.com/v1beta",
        key_env="GEMINI_API_KEY",
        key_header="x-goog-api-key",
        key_prefix="",
        timeout_seconds=300.0,
        currency="USD",
    )

    def __init__(
        self,
        model: str = "",
        aspect_ratio: str = "",
        image_size: str = "",
        extra: Mapping[str, JSONValue] | None = None,
        upload_least_px: int = 512,
        upload_most_px: int = 2048,
        account: Account | None = None,
    ) -> None:
        super().__init__(model, (upload_least_px, upload_most_px), account or Account(self.usual_service))
        own = next((name for name in extra or {} if name in _OWN), "")
        if own:
            raise InputError(f"gemini_images: extra must not hold '{own}', which the program sets")
        asked = {"aspectRatio": aspect_ratio, "imageSize": image_size}
        self._shape = {name: value for name, value in asked.items() if value}
        self._extra = dict(extra or {})

    def submit(self, inputs: TaskInputs, recipes: Sequence[Recipe]) -> Ticket:
        """Ask for one image. Raises as ``Account.call`` does."""
        self.check_task(inputs)
        body, place = self._body(inputs), f"/models/{quote(self.model, safe='')}:generateContent"

        def send() -> Delivery | Trouble:
            came = self.account.request("POST", place, json=body, most_bytes=_REPLY_BYTES)
            if isinstance(came, Trouble):
                return came
            if came.status >= 400 or not isinstance(came.body, dict):
                return self.trouble_of(came) if came.status >= 400 else Trouble(BUSY, "the reply is no object")
            return self._delivery(came)

        del recipes  # one image each, and no seed
        return Ticket("", {}, False, (self.account.call(send, self.account.submits),))

    def poll(self, ticket: Ticket) -> Sequence[Delivery] | None:
        """There is nothing to ask for: raises ``TicketLost``."""
        del ticket
        raise TicketLost("gemini_images: the image came with the answer alone and cannot be asked for again")

    def _body(self, inputs: TaskInputs) -> dict[str, JSONValue]:
        parts: list[JSONValue] = [{"text": inputs.task.prompt}]
        source = self.upload(inputs)
        if source is not None:
            encoded = base64.b64encode(source).decode("ascii")
            parts.insert(0, {"inlineData": {"mimeType": "image/png", "data": encoded}})
        config: dict[str, JSONValue] = {"responseModalities": ["IMAGE"], **self._extra}
        if self._shape and source is None:
            config["imageConfig"] = self._shape
        return {"contents": [{"role": "user", "parts": parts}], "generationConfig": config}

    def _delivery(self, came: Answer) -> Delivery:
        for part in _parts(came.body):
            encoded = part.get("inlineData", part.get("inline_data"))
            if part.get("thought") is not True and isinstance(encoded, dict):
                try:
                    data = base64.b64decode(str(encoded.get("data")), validate=True)
                except (binascii.Error, ValueError):
                    return Delivery(error=GenerationFailed("the service's image is no valid base64"))
                return Delivery(data=data, notes=_notes_of(came.body))
        return Delivery(error=self._why_none(came.body))

    def _why_none(self, body: Mapping[str, Any]) -> BestshotError:
        """What the reply says of a picture that is not there."""
        feedback, first = _map(body.get("promptFeedback")), next(iter(_maps(body.get("candidates"))), {})
        blocked, ended = str(feedback.get("blockReason") or ""), str(first.get("finishReason") or "")
        words = " ".join(str(part["text"]) for part in _parts(body) if isinstance(part.get("text"), str))
        said = first.get("finishMessage") or feedback.get("blockReasonMessage") or words
        shown = self.account.clean(str(said or ""), _KEPT)
        tail = f" (the server says: {shown})" if shown else ""
        if blocked or ended.removeprefix("IMAGE_") in _REFUSALS:
            return Declined(f"refused by the service's content check ({blocked or ended}){tail}")
        return GenerationFailed(f"the service answered without an image ({ended or 'no reason'}){tail}")


def _parts(body: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for candidate in _maps(body.get("candidates")):
        yield from _maps(_map(candidate.get("content")).get("parts"))


def _notes_of(body: Mapping[str, Any]) -> dict[str, JSONValue]:
    usage = _map(body.get("usageMetadata"))
    found = {
        "request_id": body.get("responseId"),
        "replied_model": body.get("modelVersion"),
        "request_tokens_in": usage.get("promptTokenCount"),
        "request_tokens_out": usage.get("candidatesTokenCount"),
    }
    return {name: value for name, value in found.items() if isinstance(value, (str, int)) and value != ""}


def _map(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _maps(value: Any) -> list[Mapping[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []
