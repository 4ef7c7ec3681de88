"""One input in, what later stages need of it out: tokens, maps, features."""
