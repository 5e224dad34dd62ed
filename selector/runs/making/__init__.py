"""How candidates are made: orders become units of work in lanes, local ones in batches, remote ones as stored jobs."""
