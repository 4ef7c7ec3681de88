"""Which of the inputs that a node can read from is connected."""

from ....mm_core.errors import InputError


def the_one(what: str, **given):
    """The name of the one input that is not None. what: the input it is about, for messages."""
    found = [name for name, value in given.items() if value is not None]
    if len(found) == 1:
        return found[0]
    names = " or ".join(given)
    if not found:
        raise InputError(f"the {what} input has no encoder: connect {names}")
    raise InputError(f"the {what} input has {' and '.join(found)}: connect one of them")


def needs(what: str, value, name: str, why: str):
    """value, or InputError where it is not connected."""
    if value is None:
        raise InputError(f"the {what} input has nothing to encode: connect {name}, {why}")
    return value
