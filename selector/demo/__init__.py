"""A small contest made from pictures that installed packages ship: what ``bestshot demo`` runs on, offline."""

from selector.demo.contest import DemoContest, make_demo_contest
from selector.demo.script import NO_TEXT_TO_IMAGE

__all__ = ["NO_TEXT_TO_IMAGE", "DemoContest", "make_demo_contest"]
