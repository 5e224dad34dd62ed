"""Learning from totals and judgements, and planning what to submit next: arithmetic on a table of candidates."""
