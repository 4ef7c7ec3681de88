"""What every fusion block is told, checked where it is built."""

from collections.abc import Mapping
from dataclasses import dataclass

from ..errors import InputError


@dataclass(frozen=True)
class FusionConfig:
    """widths: token width of each input that the block knows, by modality.

    base: the input that stands first, and that blocks with one main input adjust. What comes out
    has its width.
    """

    widths: Mapping[str, int]
    base: str = "text"

    def __post_init__(self) -> None:
        if not isinstance(self.widths, Mapping) or self.base not in self.widths:
            raise InputError(
                f"the base {self.base!r} is not among the widths {self.widths}; "
                "give the token width of every input, such as {'text': 768, 'style': 1024}"
            )
        for name, width in self.widths.items():
            check_whole(**{f"the width of {name}": width})
            if not name.isidentifier():
                raise InputError(
                    f"an input is called {name!r}; needed letters, digits and underscores: "
                    "rename it"
                )

    @property
    def width(self) -> int:
        """Of the tokens that come out."""
        return self.widths[self.base]

    @property
    def names(self) -> tuple[str, ...]:
        """The base, then the others by the alphabet: the order in which they were connected, or
        stand in a file, means nothing."""
        return (self.base, *self.others)

    @property
    def others(self) -> tuple[str, ...]:
        return tuple(sorted(self.widths.keys() - {self.base}))


def check_whole(**values: object) -> None:
    """Raises InputError for the first that is no whole number of 1 or more."""
    for name, value in values.items():
        if not isinstance(value, int) or isinstance(value, bool) or value < 1:
            raise InputError(f"{name} is {value!r}; needed a whole number of 1 or more")


def check_heads(width: int, heads: int) -> None:
    """Raises InputError if a width cannot be shared among so many heads."""
    check_whole(heads=heads)
    if width % heads:
        raise InputError(
            f"{heads} heads cannot share the width {width}; choose a number that divides it"
        )
