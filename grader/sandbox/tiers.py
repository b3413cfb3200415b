"""How strong the isolation is on this machine: detected, written into every result, a minimum asked of batches."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Tier:
    """One level of isolation: what it confines by, and what it does not stop."""

    name: str
    where: str
    confined_by: str
    lacks: str


TIERS = {
    tier.name: tier
    for tier in (
        Tier(
            "A",
            "root on a Linux host",
            "namespaces, a root directory of its own, another user, Landlock, seccomp, limits",
            "flaws of the kernel itself; a child may still slow its neighbours down",
        ),
        Tier("B", "root in a default container", "another user, Landlock, seccomp, limits", "namespaces"),
        Tier(
            "B-",
            "as B, a kernel without Landlock",
            "another user, seccomp, limits",
            "world-readable files are visible: keep grader/ at mode 0700",
        ),
        Tier("C", "an ordinary Linux user with Landlock", "Landlock, seccomp, limits", "namespaces, a user of its own"),
        Tier(
            "D",
            "an ordinary Linux user without Landlock",
            "seccomp, limits",
            "file secrecy: the code you grade can read your files, though change none",
        ),
        Tier("E", "macOS", "a process of its own, some limits", "no security boundary: grade code of people you trust"),
    )
}
_ORDER = tuple(TIERS)


def tier_of(features: dict[str, bool]) -> str:
    """Name the tier from what the zygote reports: `namespaces`, `uid`, `landlock`, `seccomp`, each true or false."""
    if not features.get("seccomp"):
        return "E"
    if features.get("uid"):
        if features.get("namespaces"):
            return "A"
        return "B" if features.get("landlock") else "B-"
    return "C" if features.get("landlock") or features.get("namespaces") else "D"


def remark_on(features: dict[str, bool], interpreter: str) -> str:
    """What to say where submissions run as root, though root could give them a user of their own; "" elsewhere."""
    if not features.get("is_root"):
        return ""
    return (
        f"Submissions run as root (uid 0), without its capabilities: no other user reaches {interpreter} or the project. "
        "Install both below /usr or /opt, or open the folders above them (chmod o+x)."
    )


def is_at_least(tier: str, minimum: str) -> bool:
    """Whether a tier is as strong as the minimum asked for."""
    return _ORDER.index(tier) <= _ORDER.index(minimum)
