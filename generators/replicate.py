"""replicate: images from models at Replicate, by predictions, text to image and edits by an instruction."""

from __future__ import annotations

from collections.abc import Mapping

from generators._queued import QueuedImages
from selector.domain import InputError, JSONValue
from selector.net import Account, Service

LONGEST_WAIT_SECONDS = 60  # the service's own limit


class Replicate(QueuedImages):
    """replicate: images from models at Replicate, by predictions, text to image and edits by an instruction.

    Makes: one image a prediction, for ``t2i`` from the prompt; for ``tie`` and ``vttie`` with the source as a ``data:``
        address, brought back to the source's size.
    Input: the prompt as it is handed over.
    Model and licence: whatever ``model`` names (``owner/name``, or a version), under its and the service's terms.
    Source: Replicate's pages on predictions; ``queue_dialects.toml``. Tested against a server on loopback that speaks
        them; never against the service itself.
    Cost: money an image, which ``[services.replicate] prices`` states; seconds to minutes.

    Settings: ``model`` (no default); ``size`` as "1024x768", of models that take sides; ``arguments``, all else that
        the model takes (``{ aspect_ratio = "3:2" }``); ``fields``, other names (``{ image = "image_input[]" }``);
        ``wait_seconds``, 1 to 60: let the service hold its answer until the picture is there, which saves questions; 0,
        the default, has the job's id at once, so that a kill loses nothing; ``upload_least_px``, ``upload_most_px``.

    Fails: ``Declined`` where the content check refuses; ``ServiceStopped`` for a wrong key or model and without money.

    Example:
        With ``REPLICATE_API_TOKEN`` set; in ``campaign.toml``:

        [generators.replicate]
        model = "black-forest-labs/flux-schnell"
    """

    name = "replicate"
    version = "1"
    free_settings = ("wait_seconds",)  # it changes no picture
    usual_service = Service(
        "replicate",
        "https://api.replicate.com/v1",
        key_env="REPLICATE_API_TOKEN",
        timeout_seconds=90.0,
        currency="USD",
    )

    def __init__(
        self,
        model: str = "",
        size: str = "",
        arguments: Mapping[str, JSONValue] | None = None,
        fields: Mapping[str, JSONValue] | None = None,
        wait_seconds: int = 0,
        upload_least_px: int = 512,
        upload_most_px: int = 2048,
        account: Account | None = None,
    ) -> None:
        if not 0 <= wait_seconds <= LONGEST_WAIT_SECONDS:
            raise InputError(f"replicate: wait_seconds must be 0 to {LONGEST_WAIT_SECONDS}, got {wait_seconds}")
        super().__init__(model, size, arguments, fields, upload_least_px, upload_most_px, account)
        self.headers = {"Prefer": f"wait={wait_seconds}"} if wait_seconds else {}
