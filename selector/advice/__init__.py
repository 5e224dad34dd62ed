"""What to do next, with the command for each, and the doing of it until a person is needed."""

from selector.advice.step import Step, StepKind

__all__ = ["Step", "StepKind"]
