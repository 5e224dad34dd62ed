"""What experiments share: figures with intervals, the local pick, drawn signs, a second judge of faces."""
