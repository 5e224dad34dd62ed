"""What clients of services share that make pictures from a prompt, and edit one by an instruction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from generators._uploads import at_size_of, upload_bytes
from selector.domain import Declined, InputError, JSONValue, Made, MissingPart, Recipe, TaskInputs, TaskType
from selector.domain.remote import Delivery, RemoteGenerator
from selector.net import Account, Answer, Trouble, carry_out, errors
from selector.net.download import download, picture_in

SEEDS = 2**31  # 0 to 2147483647, the most common limit of services


class HostedImages(RemoteGenerator):
    """To write beside ``submit`` and ``poll``: the facts, and what is worth noting of what was asked.

    Every recipe is one image; recipes differ by consecutive seeds. An edit comes back at its source's size, the middle
    of it where the proportions differ; nothing is stretched.
    """

    prompt_form = ""  # the usual of the task: such models describe, and edit by an instruction
    task_types = frozenset({TaskType.T2I, TaskType.TIE, TaskType.VTTIE})

    def __init__(self, model: str, upload_px: tuple[int, int], account: Account) -> None:
        if not 1 <= upload_px[0] <= upload_px[1]:
            raise InputError(f"{self.name}: upload_least_px must be from 1 to upload_most_px")
        self.model, self.upload_px, self.account = model, upload_px, account
        self.price = account.service.prices.get(model)

    def check(self) -> None:
        """Raises ``MissingPart`` without a model or a key; asks the service nothing."""
        if not self.model:
            raise MissingPart(f'{self.name}: no model is set: set `model = "..."` in [generators.{self.name}]')
        _ = self.account.key

    def recipes(self, inputs: TaskInputs, n: int, seed: int) -> Sequence[Recipe]:
        """``n`` recipes that differ by consecutive seeds."""
        self.check_task(inputs)
        return [Recipe("", (seed + i) % SEEDS) for i in range(max(0, n))]

    def fetch(self, inputs: TaskInputs, recipe: Recipe, delivery: Delivery) -> Made:
        """The delivered image, at the source's size if there is one. Raises ``GenerationFailed`` for a damaged one."""
        if delivery.error is not None:
            raise delivery.error
        picture = picture_in(delivery.data) if delivery.data is not None else download(self.account, delivery.url)
        notes = {**self.notes(inputs, recipe), **delivery.notes}
        if inputs.source is None:
            return Made(picture.data, notes)
        image, cut = at_size_of(inputs.source, picture)
        return Made(image, {**notes, "borders_cut": True} if cut else notes)

    def generate(self, inputs: TaskInputs, recipe: Recipe) -> Made:
        return carry_out(self, inputs, recipe)

    def notes(self, inputs: TaskInputs, recipe: Recipe) -> dict[str, JSONValue]:
        """What was asked, for the candidate."""
        return {"model": self.model, "prompt": inputs.task.prompt, "seed": recipe.seed}

    def upload(self, inputs: TaskInputs) -> bytes | None:
        """The source as PNG with its sides in bounds; None where the task has none."""
        return None if inputs.source is None else upload_bytes(inputs.source, *self.upload_px)

    def check_task(self, inputs: TaskInputs) -> None:
        """Raises ``Declined`` for a task of another type, without a prompt, or without the source that it needs."""
        kind = inputs.task.type
        if kind not in self.task_types:
            raise Declined(f"{self.name} makes pictures from prompts, this is a {kind.value} task")
        if not inputs.task.prompt.strip():
            raise Declined(f"{self.name} needs a prompt, the task has none")
        if (kind is TaskType.T2I) is (inputs.source is not None):
            lack = "needs a" if inputs.source is None else "has no"
            raise Declined(f"{self.name}: a {kind.value} task {lack} source")

    def trouble_of(self, came: Answer, use: str = "") -> Trouble:
        """What a reply with an error means; ``use``: as ``errors.meaning`` takes it."""
        service = self.account.service
        error = errors.server_error(max(came.status, 400), came.body, came.text, self.account.key)
        names: Mapping[str, str] = {"key": service.key_env or "key_env or key_path in [services]", "model": self.model}
        return errors.meaning(error, came.headers, provider=errors.provider_at(service.host), use=use, names=names)
