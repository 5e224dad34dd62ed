"""A small contest made from what installed packages ship: what ``bestshot demo`` runs on, offline."""

from selector.demo.contest import DemoContest, make_demo_contest

__all__ = ["DemoContest", "make_demo_contest"]
