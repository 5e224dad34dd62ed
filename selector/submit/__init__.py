"""Writing the contest's ZIP and verifying it. The verifier shares no code with the writer."""
