"""dashscope: images from Alibaba's DashScope (Model Studio), over HTTP with plain ``requests``."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote
from uuid import uuid4

from generators import _dashscope_replies as replies
from generators import _dashscope_requests as requests
from generators import _uploads as uploads
from generators._dashscope_models import DEFAULT_MODEL, EDITS, model_named
from generators._dashscope_requests import Wishes, body_of
from selector.domain import (
    Declined,
    GenerationFailed,
    InputError,
    JSONValue,
    Made,
    MissingPart,
    Picture,
    Recipe,
    TaskInputs,
    TaskType,
)
from selector.domain.remote import Delivery, RemoteGenerator, Ticket
from selector.net import Account, Answer, Service, Trouble, carry_out, jobs
from selector.net.download import download, picture_in
from selector.prompts.wording import cut

Told = TypeVar("Told")

SEEDS = 2**31  # the service takes 0 to 2147483647; a job's seeds are consecutive, so none goes beyond
SYNC_SECONDS = 300.0  # a model that answers at once takes as long as its images
LIMITS_SECONDS = 5.0
USUAL_BATCH, MOST_BATCH = 4, 6
HOME = "cn-beijing"
REGIONS = {  # addresses that need no workspace, which the service means to give up
    HOME: "dashscope.aliyuncs.com",
    "ap-southeast-1": "dashscope-intl.aliyuncs.com",
    "us-east-1": "dashscope-us.aliyuncs.com",
}
_ASYNC = {"X-DashScope-Async": "enable"}
_TASKS, _QUOTAS = "/api/v1/tasks/", "/api/v1/quotas"
_REGION_OF_WORKSPACE = re.compile(r"\.([^.]+)\.maas\.aliyuncs\.com(:\d+)?$")
_HOST_PART = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?")


class DashScope(RemoteGenerator):
    """dashscope: images from Alibaba's DashScope (Model Studio), over HTTP with plain ``requests``.

    Makes: with a text-to-image model (``wanx2.1-t2i-turbo``, the default; wan2.2 to wan2.6, ``qwen-image``,
        ``z-image-turbo``) candidates of t2i tasks; with an editing model (``wanx2.1-imageedit`` with one of ten
        functions, ``qwen-image-edit``, ``wan2.6-image``) those of scene and text edits; with ``qwen-image-2.0`` to
        ``-3.0`` and ``wan2.7-image`` both.
    Input: the prompt; for edits the source, enlarged or reduced to what the model takes, and the result comes back to
        the source's size and position (but for ``expand``).
    Models and licence: on the service's side, under its terms. Key: ``DASHSCOPE_API_KEY``, or another by
        ``[services.dashscope]``.
    Source: the service's documentation, see docs/dashscope.md; written without reaching it, and tested on a server on
        loopback that speaks the documented protocol, never against the service itself.
    Cost: 0.14 to 0.5 CNY an image, 10 s to 3 minutes a job of up to four images; nothing on this machine.
    Fails when the service refuses the content (``Declined``: final), when it cannot be reached or is out of money
        (``ServiceStopped``), when a picture is too long for it, and with single images of a job while others come.

    Args:
        model: by name; ``docs/dashscope.md`` lists the known ones.
        protocol: how it is asked, for a model that is not among those; "": as the table says.
        function: what ``wanx2.1-imageedit`` shall do; empty: ``description_edit``.
        size: "W*H" of text to image; empty: the model's usual one.
        prompt_extend: let the service rewrite the prompt. Off, because the judge goes by the words of the task.
        negative_prompt: what shall not be seen; up to 500 characters.
        watermark: have the service's mark put on.
        strength: 0 to 1, how far ``description_edit`` and ``stylization_all`` may go; None: the service's 0.5.
        batch: images of a task that one request makes, where the model makes several; 0: up to four of a job, one of
            a model that answers at once.
        mask_path: for ``description_edit_with_mask``: a PNG, white where to edit, or a folder (TASK or SOURCE.png).
        expand: for ``expand``: how far to the left, right, top and bottom, each 1 to 2 times.
        upscale_factor: for ``super_resolution``: 1 to 4.
        is_sketch: for ``doodle``: the source is a line drawing already.
        prompt_characters: where the service cuts prompts today; 0: as documented.
        extra: further parameters of a request, as they are (``{ thinking_mode = false }``).
        region, workspace: where the key was made; they say the address, unless ``[services]`` does.
        account: shared with all others that use the service; None: one of its own.

    Raises:
        InputError: a setting does not fit the model.

    Example:
        With ``DASHSCOPE_API_KEY`` set; in ``campaign.toml``:

        [generators.dashscope]
        model = "qwen-image"
    """

    name = "dashscope"
    task_types: frozenset[TaskType]
    account: Account
    free_settings = ("batch", "region", "workspace")  # they change no picture
    usual_service = Service(
        "dashscope",
        f"https://{REGIONS[HOME]}",
        key_env="DASHSCOPE_API_KEY",
        running=2,
        submits_per_second=2.0,
        polls_per_second=10.0,
        currency="CNY",
    )

    def __init__(
        self,
        model: str = DEFAULT_MODEL,
        function: str = "",
        size: str = "",
        prompt_extend: bool = False,
        negative_prompt: str = "",
        watermark: bool = False,
        strength: float | None = None,
        batch: int = 0,
        mask_path: str = "",
        expand: Sequence[float] = (1.5, 1.5, 1.5, 1.5),
        upscale_factor: int = 2,
        is_sketch: bool = False,
        prompt_characters: int = 0,
        protocol: str = "",
        extra: Mapping[str, JSONValue] | None = None,
        region: str = HOME,
        workspace: str = "",
        account: Account | None = None,
    ) -> None:
        self.account = account or Account(self.service_for({"region": region, "workspace": workspace}))
        self.model = model_named(model, protocol)
        self.function = requests.function_of(self.model, function)
        self.prompt_form = requests.prompt_form_of(self.model, self.function)
        self._mask = Path(mask_path) if mask_path else None
        if (self.function == "description_edit_with_mask") is (self._mask is None):
            raise InputError("dashscope: mask_path and function = description_edit_with_mask need each other")
        if not 0 <= batch <= MOST_BATCH:
            raise InputError(f"dashscope: batch must be 1 to {MOST_BATCH}, or 0 for the usual one, got {batch}")
        self._batch = min(batch or (USUAL_BATCH if self.model.way.job else 1), self.model.most)
        self.prompt_characters = prompt_characters or self.model.prompt_characters
        parameters = requests.general(self.model, size, prompt_extend, watermark, extra or {})
        parameters |= requests.of_the_function(self.function, strength, expand, upscale_factor, is_sketch)
        self._wishes = Wishes(self.function, requests.negative(self.model, negative_prompt), parameters)
        edits = {TaskType.TIE, TaskType.VTTIE} if self.model.edits else set()
        self.task_types = frozenset(edits | ({TaskType.T2I} if self.model.makes != EDITS else set()))
        service = self.account.service
        known = self.model.price if region == HOME and _is_at_home(service.host) else None
        self.price: float | None = service.prices.get(model, known)
        seconds = service.timeout_seconds
        self._seconds = seconds if self.model.way.job else max(seconds, SYNC_SECONDS)

    @classmethod
    def service_for(cls, settings: Mapping[str, Any]) -> Service:
        """The service at the address of a region, or of a workspace in it; raises ``InputError`` for an unknown one."""
        region, workspace = str(settings.get("region", HOME)), str(settings.get("workspace", ""))
        if not _HOST_PART.fullmatch(region) or not (_HOST_PART.fullmatch(workspace) or not workspace):
            raise InputError("dashscope: region and workspace are names as the console shows them: letters, digits, -")
        if workspace:
            return replace(cls.usual_service, base_url=f"https://{workspace}.{region}.maas.aliyuncs.com")
        if region not in REGIONS:
            raise InputError(
                f"dashscope: the region '{region}' has no address without a workspace: set `workspace` beside it, or "
                f"take one of {', '.join(REGIONS)}"
            )
        return replace(cls.usual_service, base_url=f"https://{REGIONS[region]}")

    @property
    def version(self) -> str:
        """The way of asking, the model and its function; settings are told apart by the campaign."""
        return "-".join(part for part in ("1", self.model.name, self.function) if part)

    @property
    def hint(self) -> str:
        """What a user should know who has chosen this model; mostly nothing."""
        elsewhere = f" (that of {HOME} is)" if self.model.price is not None else ""
        return "" if self.price is not None else f"the price of {self.model.name} is not known{elsewhere}: set `prices`"

    def limits(self) -> str:
        """The account's limits for this model, as the service tells them: asks it once. Raises nothing for an error."""
        path = f"{_QUOTAS}?model={quote(self.model.name, safe='')}"
        came = self.account.request("GET", path, LIMITS_SECONDS)
        if isinstance(came, Trouble):
            return f"limits not told: {came.reason}"
        return replies.limits_of(came.status, came.body, self.model.name, self.account.clean)

    def check(self) -> None:
        """Raise ``MissingPart`` when there is no key or no mask. Asks no server."""
        _ = self.account.key
        if self._mask is not None and not self._mask.exists():
            raise MissingPart(f"dashscope: mask_path names nothing ({self._mask.name}): put a PNG or a folder there")

    def recipes(self, inputs: TaskInputs, n: int, seed: int) -> Sequence[Recipe]:
        """Consecutive seeds. Raises ``Declined`` without a prompt, a source or a mask, or if the source is too long."""
        if inputs.task.type not in self.task_types:
            raise Declined(f"{self.model.name} does no {inputs.task.type.value} tasks")
        if not inputs.task.prompt.strip():
            raise Declined("the task has no prompt")
        params = self._facts_of_inputs(inputs) if inputs.task.type is not TaskType.T2I else {}
        return [Recipe(self.function, (seed + i) % SEEDS, params) for i in range(n)]

    def batches(self, recipes: Sequence[Recipe]) -> Sequence[Sequence[Recipe]]:
        """Runs of consecutive seeds, because image i of a job has the job's seed + i."""
        return jobs.runs_of(
            recipes, self._batch, lambda a, b: b.seed == a.seed + 1 and dict(b.params) == dict(a.params)
        )

    def submit(self, inputs: TaskInputs, recipes: Sequence[Recipe]) -> Ticket:
        """Hand in one job, or, for a model that answers at once, have it done."""
        seed, n = recipes[0].seed, len(recipes)
        body = body_of(self.model, self._wishes, self._prompt(inputs), seed, n, *self._upload(inputs))
        facts: dict[str, JSONValue] = {"n": n, "seed": seed}
        if self.model.way.job:
            return Ticket(self._ask(body, replies.job_id, _ASYNC), facts)
        came = self._ask(body, lambda told: replies.pictures_of(told, n, seed), {})
        addresses = jobs.facts_of(came)
        return Ticket(f"at-once-{uuid4().hex}", facts | (addresses or {}), addresses is not None, came)

    def poll(self, ticket: Ticket) -> Sequence[Delivery] | None:
        """One question for the job; needs nothing but the ticket, which may hold the addresses already."""
        if jobs.IMAGES in ticket.facts:
            return jobs.deliveries_in(ticket.facts)
        n, seed = int(ticket.facts["n"]), int(ticket.facts["seed"])

        def send() -> tuple[Delivery, ...] | Trouble | None:
            path = _TASKS + quote(ticket.id, safe="")
            came = self._checked(self.account.request("GET", path, self._seconds), polling=True)
            return came if isinstance(came, Trouble) else replies.state_of(came, n, seed, self.account.clean)

        return self.account.call(send, self.account.polls)

    def fetch(self, inputs: TaskInputs, recipe: Recipe, delivery: Delivery) -> Made:
        """Download the image; an edit is brought back onto its source."""
        if delivery.error is not None:
            raise delivery.error
        picture = download(self.account, delivery.url) if delivery.data is None else picture_in(delivery.data)
        notes: dict[str, Any] = {
            "model": self.model.name,
            "prompt": self._prompt(inputs),
            **self._sent(),
            "seed": recipe.seed,
            "came_px": list(picture.size),
            **delivery.notes,
        }
        if len(inputs.task.prompt.strip()) > len(notes["prompt"]):
            notes["prompt_cut_from"] = len(inputs.task.prompt.strip())
        if inputs.source is None or inputs.task.type is TaskType.T2I or self.function == "expand":
            return Made(picture.rgb, notes)
        return _onto_source(inputs.source, picture, notes)

    def generate(self, inputs: TaskInputs, recipe: Recipe) -> Made:
        """One candidate by a job of its own."""
        return carry_out(self, inputs, recipe)

    def _ask(self, body: Mapping[str, Any], read: Callable[[Any], Told | Trouble], headers: Mapping[str, str]) -> Told:
        """One submission, sent again as long as there is hope."""

        def send() -> Told | Trouble:
            place = self.model.way.place
            came = self._checked(self.account.request("POST", place, self._seconds, json=body, headers=headers))
            return came if isinstance(came, Trouble) else read(came)

        return self.account.call(send, self.account.submits)

    def _prompt(self, inputs: TaskInputs) -> str:
        return cut(inputs.task.prompt.strip(), self.prompt_characters)

    def _sent(self) -> dict[str, Any]:
        negative = {"negative_prompt": self._wishes.negative_prompt} if self._wishes.negative_prompt else {}
        function = {"function": self.function} if self.function else {}
        return {**function, **self._wishes.parameters, **negative}

    def _facts_of_inputs(self, inputs: TaskInputs) -> dict[str, Any]:
        if inputs.source is None:
            raise Declined("the task has no source picture to edit")
        try:
            uploads.fitting_size(inputs.source.size, *self.model.upload_px)
        except InputError as error:
            raise GenerationFailed(str(error)) from error
        mask = self._mask_of(inputs)
        return {"mask": hashlib.sha256(mask.data).hexdigest()[:16]} if mask is not None else {}

    def _mask_of(self, inputs: TaskInputs) -> Picture | None:
        if self._mask is None:
            return None
        file = uploads.mask_file(self._mask, inputs.task.id, inputs.task.source)
        if file is None:
            raise Declined(f"there is no mask for this task in {self._mask.name}")
        return Picture(file.read_bytes(), file.name)

    def _upload(self, inputs: TaskInputs) -> tuple[str, ...]:
        """The source and its mask as ``data:`` addresses, as far as the model takes them."""
        if inputs.source is None or inputs.task.type is TaskType.T2I:
            return ()
        source, size_px = uploads.uploaded(inputs.source, self.model.upload_px)
        mask = self._mask_of(inputs)
        return (source,) if mask is None else (source, uploads.uploaded_mask(mask, size_px))

    def _checked(self, came: Answer | Trouble, polling: bool = False) -> Any | Trouble:
        """The body of a reply that is no error; an error may come as HTTP 200 too."""
        if isinstance(came, Trouble):
            return came
        told: Mapping[str, Any] = came.body if isinstance(came.body, dict) else {}
        if came.status < 400 and ("output" in told or not told.get("code")):
            return came.body
        message = self.account.clean(str(told.get("message") or ""))
        names = {"key": self.account.service.key_env or "the key", "model": self.model.name}
        code = replies.code_of(self.account.clean(str(told.get("code") or "")))
        return replies.trouble_of(came.status, code, message, came.headers, names, polling)


def _is_at_home(host: str) -> bool:
    """Whether a host may serve the home region, whose prices the table has; one of nobody's, such as a proxy, may."""
    of_workspace = _REGION_OF_WORKSPACE.search(host)
    if of_workspace is not None:
        return of_workspace[1] == HOME
    return host.partition(":")[0] not in (at for region, at in REGIONS.items() if region != HOME)


def _onto_source(source: Picture, picture: Picture, notes: dict[str, Any]) -> Made:
    """The result at the source's size and position: such services return about 1 MP, at times shifted or zoomed."""
    from selector.sight.registration import register

    placed = register(uploads.source_pixels(source), picture.rgb)
    if placed.shift_px != (0.0, 0.0) or placed.scale != (1.0, 1.0):
        notes |= {"moved_px": [round(v, 2) for v in placed.shift_px], "zoom": [round(v, 4) for v in placed.scale]}
    return Made(placed.image, notes)
