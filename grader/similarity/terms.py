"""Terms: expressions in a canonical form, each under two digests.

`deep` follows every name to what it was assigned, so that names, the order of independent statements, and variables that
were introduced or written out do not matter. `near` looks a few levels down and takes every name for the same, so that
a change further up does not matter. Sums and products are sorted, differences and quotients are sums and products.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b

LEVELS = 3
_MOST_PARTS = 16  # of a sum or product that is taken apart: names that stand for each other's squares must not explode


def digest(text: str) -> str:
    return blake2b(text.encode("utf-8", "replace"), digest_size=8).hexdigest()


@dataclass(frozen=True, eq=False)
class Term:
    """An operation on terms, or a leaf. `stands_for` is what a name was assigned."""

    operation: str
    parts: tuple["Term", ...] = ()
    labels: tuple[str, ...] = ()  # of the parts: keywords; empty for those given by position
    is_unordered: bool = False
    number: float | None = None
    stands_for: "Term | None" = None
    is_name: bool = False

    @property
    def meant(self) -> "Term":
        return self.stands_for or self

    @cached_property
    def size(self) -> int:
        return 1 + sum(part.size for part in self.parts)

    @cached_property
    def deep(self) -> str:
        if self.stands_for:
            return self.stands_for.deep
        parts = [part.deep for part in self._flat(through_names=True)]
        if self.is_unordered:
            parts.sort()
        named = [f"{label}={part}" for label, part in zip(self.labels, parts, strict=True)] if self.labels else parts
        return digest(f"{self.operation}({','.join(named)})")

    @cached_property
    def near(self) -> tuple[str, ...]:
        """The text of the operation alone, and with one more level of its parts each."""
        if self.is_name:
            return ("v",) * (LEVELS + 1)
        parts = self._flat(through_names=False)
        texts = [self.operation]
        for level in range(LEVELS):
            below = sorted(part.near[level] for part in parts)
            texts.append(f"{self.operation}({','.join(below)})" if parts else self.operation)
        return tuple(texts)

    def _flat(self, through_names: bool) -> list["Term"]:
        """The parts; those of a sum in a sum, and of a product in a product, in its place."""
        if self.operation not in ("add", "mul"):
            return list(self.parts)
        flat: list[Term] = []
        waiting = list(reversed(self.parts))
        while waiting:
            part = waiting.pop()
            inner = part.meant if through_names else part
            if inner.operation == self.operation and len(flat) + len(waiting) + len(inner.parts) <= _MOST_PARTS:
                waiting += reversed(inner.parts)
            else:
                flat.append(part)
        if self.operation == "mul":
            return _with_one_number(flat)
        return flat


def _with_one_number(factors: list[Term]) -> list[Term]:
    value, others = 1.0, []
    for factor in factors:
        known = factor.meant.number
        if known is None:
            others.append(factor)
        else:
            value *= known
    return others if value == 1.0 else [number(value), *others]


def number(value: float) -> Term:
    return Term(f"#{value:.6g}", number=value)


def leaf(text: str) -> Term:
    return Term(text)


def name(text: str, stands_for: Term | None = None) -> Term:
    """A name; what is not known to stand for something is told apart by `text` in the deep digest alone."""
    return Term(text, stands_for=stands_for, is_name=True)


def add(*parts: Term) -> Term:
    values = [part.meant.number for part in parts]
    if all(value is not None for value in values):
        return number(sum(value for value in values if value is not None))
    return Term("add", parts, is_unordered=True)


def mul(*parts: Term) -> Term:
    values = [part.meant.number for part in parts]
    if all(value is not None for value in values):
        product = 1.0
        for value in values:
            product *= value if value is not None else 1.0
        return number(product)
    if len(parts) == 2 and parts[0].deep == parts[1].deep:
        return power(parts[0], number(2.0))
    return Term("mul", parts, is_unordered=True)


def negative(part: Term) -> Term:
    return mul(number(-1.0), part)


def power(base: Term, exponent: Term) -> Term:
    to = exponent.meant.number
    if to is None:
        return Term("pow", (base, exponent))
    if base.number is not None:
        try:
            raised = base.number**to
        except (OverflowError, ZeroDivisionError):
            raised = 0.0
        return number(raised) if isinstance(raised, float) else leaf("pow")
    if to == 1.0:
        return base
    if base.operation == "pow" and base.parts[1].number is not None:
        return power(base.parts[0], number(base.parts[1].number * to))
    if base.operation == "exp" and len(base.parts) == 1:
        return Term("exp", (mul(number(to), base.parts[0]),))
    return Term("pow", (base, exponent))


def call(operation: str, parts: Iterable[Term], labels: Iterable[str] = ()) -> Term:
    """A call; the parts given by keyword come behind the others, in the order of their labels."""
    parts, labels = tuple(parts), tuple(labels)
    return Term(operation, parts, labels if any(labels) else ())
