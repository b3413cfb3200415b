"""Guesses before an experiment: `predict` keeps one, `reveal` says what the run shows. No points hang on either.

Both only print, so that they work wherever a notebook runs, in a script too. What is handed in is the text of the cell,
`predict("B", "swap", "ABC")`; the grader reads it there (`utils.notebook.guesses`) and runs it nowhere.
"""

from collections.abc import Mapping
from typing import Any

_LONGEST = 40  # characters of a student's value in a sentence

_guesses: dict[str, str] = {}  # of this kernel, by question
_revealed: set[str] = set()


def predict(guess: Any = "", question: str = "", choices: str = "ABC") -> None:
    """Keep a guess before the experiment that decides it, and say what was understood; nothing is ever raised.

    Args:
        guess: The letter of one choice, such as "A"; "" for none yet. It may be changed: the last one counts.
        question: The prediction's name in the notebook; leave it as it is.
        choices: The letters there are; leave them as they are.
    """
    if not _is_name(question):
        print(
            'This cell has lost its second part, the name of the question: undo, then write only the letter, as in predict("A", "…").'
        )
        return
    letters, before = _letters(choices), _guesses.get(question)
    letter = guess.strip(" .()").upper() if isinstance(guess, str) else None
    if letter == "":
        print(
            f"No guess yet: write {letters} between the first quotation marks and run the cell. No points hang on it."
        )
    elif letter is None:
        print(f'{_short(guess)} is no letter: write {letters} in quotation marks, as in predict("{choices[:1]}", …).')
    elif len(letter) != 1 or letter not in choices:
        print(f"{_short(guess)} is none of the choices: write {letters}.")
    else:
        _guesses[question] = letter
        changed = f" (before: {before})" if before not in (None, letter) else ""
        late = "; you have seen the experiment" if changed and question in _revealed else ""
        print(f"Your guess is {letter}{changed}{late}. The experiment below decides.")


def reveal(question: str, shown: Mapping[str, Any], short: bool = False, stand_in: bool = False) -> None:
    """Say which choice the run shows, and what was guessed.

    Args:
        question: The prediction's name, as in `predict`.
        shown: From each choice's letter to whether what was just measured shows it; a bool or a one-element tensor.
        short: Whether this run trained too little to be the last word, as with FAST=1.
        stand_in: Whether other data than the text's took its place, and so this run is not the last word either.
    """
    _revealed.add(question)
    held = [letter for letter, holds in shown.items() if bool(holds)]
    guess = _guesses.get(question, "")
    found = f"shows {held[0]}" if len(held) == 1 else "decides nothing"
    said = f"You guessed {guess}." if guess else "You made no guess."
    if short or stand_in or len(held) != 1:
        why = " and ".join(["is short"] * short + ["is on a stand-in"] * stand_in + [found])
        runs = "runs on the real data" if stand_in else "full runs"
        print(f"Prediction `{question}`: this run {why}. {said}\n  The text below says what {runs} show.")
    elif guess == held[0]:
        print(f"Prediction `{question}`: this run {found}, as you guessed.")
    else:
        more = " Below stands what makes it tempting." if guess else ""
        print(f"Prediction `{question}`: this run {found}. {said}{more}")


def _is_name(question: Any) -> bool:
    return isinstance(question, str) and bool(question)


def _letters(choices: str) -> str:
    return f"{', '.join(choices[:-1])} or {choices[-1]}" if len(choices) > 1 else choices


def _short(value: Any) -> str:
    try:
        text = repr(value)
    except Exception:  # a stranger's object
        text = f"a {type(value).__name__}"
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]} …"
