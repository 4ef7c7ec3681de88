"""Several embeddings in, one conditioning out: blocks with weights, and modes without."""
