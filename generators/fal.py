"""fal: images from models at fal.ai, by its queue, text to image and edits by an instruction."""

from __future__ import annotations

from generators._queued import QueuedImages
from selector.net import Service


class Fal(QueuedImages):
    """fal: images from models at fal.ai, by its queue, text to image and edits by an instruction.

    Makes: one image a job, for ``t2i`` from the prompt; for ``tie`` and ``vttie`` with the source as a ``data:``
        address, brought back to the source's size.
    Input: the prompt as it is handed over.
    Model and licence: whatever ``model`` names (``fal-ai/flux/dev``), under its and the service's terms.
    Source: fal's pages on its queue and its errors; ``queue_dialects.toml``. Tested against a server on loopback that
        speaks them; never against the service itself.
    Cost: money an image, which ``[services.fal] prices`` states; seconds to a minute.

    Settings: ``model`` (no default); ``size`` as "1024x768"; ``arguments``, all else that the model takes
        (``{ num_inference_steps = 28 }``); ``fields``, other names (``{ image = "image_urls[]" }``: some models take a
        list of sources); ``upload_least_px``, ``upload_most_px``, between which a source's sides are brought.

    Fails: ``Declined`` where the content check refuses or has painted over; ``ServiceStopped`` for a wrong key or model
        and a locked account.

    Example:
        With ``FAL_KEY`` set; in ``campaign.toml``:

        [generators.fal]
        model = "fal-ai/flux/dev"
    """

    name = "fal"
    version = "1"
    usual_service = Service("fal", "https://queue.fal.run", key_env="FAL_KEY", key_prefix="Key ", currency="USD")
