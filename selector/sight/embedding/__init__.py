"""One embedding for many scores: backbone, views, texts, and the pass that heads share."""
