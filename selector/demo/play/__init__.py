"""The closed world as a contest with a simulated leaderboard: its pool of candidates, its games, and their report."""
