"""Embeddings and rows in, what each row is given out; and what "absent" means."""
