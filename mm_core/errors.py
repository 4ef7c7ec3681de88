"""Everything mm_core raises on purpose.

MMError
+-- InputError    a file, option or value of the user's that cannot be used
+-- PlanError     a guidance plan that cannot be evaluated
+-- WeightsError  a file that is not the weights it was taken for
+-- WordError     a word that the embedded model does not know

Every message says what was found, what was needed and what to do. The command line prints it as
one line and exits with 2; a node shows it as it is.
"""


class MMError(Exception):
    """Base class, so that a caller can catch all of ours and nothing else."""


class InputError(MMError, ValueError):
    """A file, option or value of the user's that cannot be used."""


class PlanError(MMError, ValueError):
    """A guidance plan that cannot be evaluated."""


class WeightsError(MMError, ValueError):
    """A file that is not the weights it was taken for."""


class WordError(MMError, ValueError):
    """A word that the embedded model does not know."""
