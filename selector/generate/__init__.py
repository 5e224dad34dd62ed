"""Making candidates: orders become units of work, local ones in batches, remote ones as stored jobs."""
