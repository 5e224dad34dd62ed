"""The words of the program: types, protocols and errors. Imports nothing else of ours and no heavy package."""

from selector.domain.errors import (
    BestshotError,
    Declined,
    GenerationFailed,
    InputError,
    MissingPart,
    QuotaExceeded,
    SubmissionError,
)
from selector.domain.picture import Picture, encode_final, rgb_from_image
from selector.domain.protocols import Generator, Scorer
from selector.domain.remote import BatchGenerator, Delivery, RemoteGenerator, ServiceStopped, Ticket, TicketLost
from selector.domain.types import (
    Axis,
    Column,
    Estimate,
    Item,
    JSONValue,
    Made,
    Recipe,
    Score,
    Task,
    TaskInputs,
    TaskType,
    stable_hash,
)

__all__ = [
    "Axis",
    "BatchGenerator",
    "BestshotError",
    "Column",
    "Declined",
    "Delivery",
    "Estimate",
    "GenerationFailed",
    "Generator",
    "InputError",
    "Item",
    "JSONValue",
    "Made",
    "MissingPart",
    "Picture",
    "QuotaExceeded",
    "Recipe",
    "RemoteGenerator",
    "Score",
    "Scorer",
    "ServiceStopped",
    "SubmissionError",
    "Task",
    "TaskInputs",
    "TaskType",
    "Ticket",
    "TicketLost",
    "encode_final",
    "rgb_from_image",
    "stable_hash",
]
