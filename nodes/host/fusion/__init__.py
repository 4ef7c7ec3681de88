"""Several embeddings as one CONDITIONING."""
