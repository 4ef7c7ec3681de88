"""The small model that ships with the pack, and the host that runs it alone."""
