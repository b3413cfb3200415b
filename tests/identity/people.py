"""A university: people whose names are doubled, and whose ids of one kind are other people's ids of another."""

import random
from dataclasses import dataclass, field

_FIRST = ("Wei", "Li", "Ann", "Anna", "Zoë", "José", "Lian", "Ada", "Na", "O'Neil", "李雷", "Jean-Luc")
_LAST = ("Zhang", "Li", "Wei", "Abel", "Bel", "Müller", "Na", "Gomez", "Lovelace", "de la Cruz", "Anna")
KINDS = ("canvas", "sis", "login", "participant", "github")


@dataclass(frozen=True)
class Somebody:
    """A true person; `number` is the truth."""

    number: int
    first: str
    last: str
    ids: dict[str, str] = field(hash=False)
    email: str

    @property
    def name(self) -> str:
        return f"{self.first} {self.last}"

    @property
    def sortable(self) -> str:
        return f"{self.last}, {self.first}"


def university(rng: random.Random) -> list[Somebody]:
    """Between one and a dozen people. Within a kind an id is one person's, as on every platform; across kinds it is anybody's."""
    count = rng.randint(1, 12)
    few = rng.random() < 0.5  # names are doubled all the time
    firsts = rng.sample(_FIRST, 2) if few else _FIRST
    lasts = rng.sample(_LAST, 2) if few else _LAST
    numbers = [str(10 + n) for n in range(count + rng.randrange(4))]
    drawn = {kind: rng.sample(numbers, count) for kind in KINDS}
    if rng.random() < 0.5:  # logins are words: some are names, some the local part of somebody else's address
        words = [f"{rng.choice(firsts).lower()}{n}" for n in range(count)]
        drawn["login"] = rng.sample(words, count)
    locals_ = rng.sample(drawn["login"], count)
    return [
        Somebody(
            n, rng.choice(firsts), rng.choice(lasts), {kind: drawn[kind][n] for kind in KINDS}, f"{locals_[n]}@x.org"
        )
        for n in range(count)
    ]
