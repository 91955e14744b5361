"""A secret that frames, logs and tracebacks may hold: it shows itself only to whoever calls ``reveal``."""

from typing import Callable, Generic, TypeVar

T = TypeVar("T")


class Hidden(Generic[T]):
    __slots__ = ("_reveal",)

    def __init__(self, value: T) -> None:
        self._reveal: Callable[[], T] = lambda: value

    def reveal(self) -> T:
        return self._reveal()

    def __repr__(self) -> str:
        return "<hidden>"

    def __reduce__(self) -> "tuple[object, ...]":
        raise TypeError("a secret is not pickled")
