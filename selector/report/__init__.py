"""The contact sheet: a static page with every candidate, its scores, and the pick framed. It only reads."""

from selector.report._contact_sheet import write_contact_sheet
from selector.report._model import CandidateCard, Failure, PlotCard, Sheet, TaskRow, Verdict

__all__ = ["CandidateCard", "Failure", "PlotCard", "Sheet", "TaskRow", "Verdict", "write_contact_sheet"]
