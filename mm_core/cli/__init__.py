"""The command mmc: the core alone, on the embedded model."""
