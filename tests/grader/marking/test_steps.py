"""What marking means: points follow from rubric items, nobody is overwritten, undo and history hold, two mark blind."""

from pathlib import Path

import pytest

from grader.marking import views
from grader.marking.answers import Answer, NothingToMark, read_classroom
from grader.marking.claims import SECONDS, Claims
from grader.marking.desk import Desk
from grader.marking.events import ZERO, BadInput, Item, Mark, Rubric
from grader.marking.people import People
from grader.marking.standing import DISAGREE, DONE, OPEN, REOPENED, SECOND
from grader.marking.steps import Stale
from tests.marking.classroom import PARTS, result, write_result, write_run

CHECK, OTHER = PARTS[0][0], PARTS[1][0]
ITEMS = {"a": (-2, "no integral"), "b": (-3.5, "wrong sign in $x$"), "c": (1, "a picture")}


@pytest.fixture
def rubric(desk: Desk) -> Desk:
    for place, (number, (points, words)) in enumerate(ITEMS.items()):
        desk.steps("Ada").item(CHECK, {"id": number, "points": points, "words": words, "place": place}, 0, f"i{number}")
    return desk


def _answers(desk: Desk, who: str = "Ada", check: str = CHECK) -> list[Answer]:
    return desk.queue.order(who, check)


def _give(desk: Desk, answer: Answer, *items: str, who: str = "Ada", base: int | None = None, **other) -> int:
    slot = desk.ledger.state.slot(who, answer.student, answer.check)
    top = desk.ledger.state.top("mark", answer.student, answer.check, slot)
    base = (top.id if top else 0) if base is None else base
    return desk.steps(who).mark(answer, Mark(items=items, **other), base, "")[0].id


def _points(desk: Desk, answer: Answer) -> float | None:
    stands = desk.queue.standing(desk.ledger.state, answer)
    part = desk.classroom.parts[answer.check]
    return desk.ledger.state.rubric(answer.check).points(stands.counts[1], part.points) if stands.counts else None


# ---------------------------------------------------------------- points


@pytest.mark.parametrize(
    ("start", "mark", "expected"),
    [
        ("full", Mark(), 10),
        ("full", Mark(items=("a", "b")), 4.5),
        ("full", Mark(items=("c",)), 10),  # never more than the maximum
        ("zero", Mark(items=("c",)), 1),
        ("zero", Mark(items=("a",)), 0),  # never less than nothing
        ("full", Mark(items=("a",), change=-0.5, reason="late idea"), 7.5),
        ("full", Mark(fixed=7.25), 7.25),
        ("full", Mark(items=("gone",)), 10),
    ],
)
def test_points_are_where_counting_starts_and_the_items(start: str, mark: Mark, expected: float) -> None:
    rubric = Rubric(start, tuple(Item(number, points, words) for number, (points, words) in ITEMS.items()))
    assert rubric.points(mark, 10) == expected


@pytest.mark.parametrize(
    "body",
    [
        {"items": "a"}, {"items": [1, 2]}, {"items": ["a", "a"]}, {"change": "2"}, {"change": float("nan")}, {"change": 1},
        {"fixed": True}, {"comment": 3}, {"comment": "x" * 10_001}, {"items": ["x"] * 61}, {"change": 1e9, "reason": "r"},
    ],
)  # fmt: skip
def test_what_is_no_mark_is_refused_in_a_sentence(body: dict) -> None:
    with pytest.raises(BadInput, match=r"\w.*[:.]"):
        Mark.of(body)


def test_an_item_changed_later_moves_whoever_had_it(rubric: Desk) -> None:
    first, second, third, *_ = _answers(rubric)
    for answer, items in ((first, ("a",)), (second, ("a", "b")), (third, ())):
        _give(rubric, answer, *items)
    assert [_points(rubric, a) for a in (first, second, third)] == [8, 4.5, 10]
    base = rubric.ledger.state.top("item", CHECK, "a").id
    rubric.steps("Ben").item(CHECK, {"id": "a", "points": -4, "words": "no integral", "place": 0}, base, "")
    assert [_points(rubric, a) for a in (first, second, third)] == [6, 2.5, 10]
    with pytest.raises(Stale, match="changed this rubric item"):
        rubric.steps("Eve").item(CHECK, {"id": "a", "points": 0, "words": "x", "place": 0}, base, "")
    rubric.steps("Ben").undo(CHECK, "")
    assert [_points(rubric, a) for a in (first, second, third)] == [8, 4.5, 10]


def test_counting_can_start_from_zero(rubric: Desk) -> None:
    answer = _answers(rubric)[0]
    _give(rubric, answer, "c")
    rubric.steps("Ada").scheme(CHECK, ZERO, "")
    assert _points(rubric, answer) == 1


def test_items_are_reordered_and_removed_without_touching_marks(rubric: Desk) -> None:
    answer = _answers(rubric)[0]
    _give(rubric, answer, "a", "b")
    state = rubric.ledger.state
    for number, place, gone in (("b", -1, False), ("a", 0, True)):
        points, words = ITEMS[number]
        body = {"id": number, "points": points, "words": words, "place": place, "gone": gone}
        rubric.steps("Ada").item(CHECK, body, state.top("item", CHECK, number).id, "")
    assert [item.id for item in state.rubric(CHECK).items] == ["b", "c"]
    assert _points(rubric, answer) == 6.5
    with pytest.raises(BadInput, match="rubric item a is gone"):
        _give(rubric, answer, "a")


# ---------------------------------------------------------------- nobody's work is overwritten


def test_who_was_slower_is_told_and_nothing_is_lost(rubric: Desk) -> None:
    answer = _answers(rubric)[0]
    first = _give(rubric, answer, "a", who="Ada", base=0)
    with pytest.raises(Stale, match=r"Ada has marked this answer in the meantime; yours is not stored"):
        _give(rubric, answer, "b", who="Ben", base=0)
    assert _points(rubric, answer) == 8
    _give(rubric, answer, "b", who="Ben", base=first)
    assert [e.who for e in rubric.ledger.state.history(answer.student, CHECK)] == ["Ada", "Ben"]


def test_undo_goes_back_step_by_step_and_only_over_one_s_own(rubric: Desk) -> None:
    one, two, *_ = _answers(rubric)
    _give(rubric, one, "a")
    _give(rubric, one, "a", "b")
    _give(rubric, two, "c", who="Ben")
    steps = rubric.steps("Ada")
    assert [e.body["items"] for e in steps.undo(CHECK, "")] == [["a", "b"]]
    assert _points(rubric, one) == 8
    steps.undo(CHECK, "")
    assert rubric.queue.standing(rubric.ledger.state, one).status == OPEN
    assert _points(rubric, two) == 10
    _give(rubric, one, "a")
    _give(rubric, one, "b", who="Ben")
    with pytest.raises(Stale, match="somebody has gone on from it"):
        steps.undo(CHECK, "")


def test_an_undo_sent_twice_goes_back_one_step(rubric: Desk) -> None:
    answer = _answers(rubric)[0]
    _give(rubric, answer, "a")
    _give(rubric, answer, "b")
    for _ in range(2):
        rubric.steps("Ada").undo(CHECK, "the same key")
    assert _points(rubric, answer) == 8


# ---------------------------------------------------------------- same answers


def _twins(folder: Path, count: int) -> Desk:
    for n in range(count):
        text = "It is **zero** for $q = p$." if n % 2 else "It  is zero for  $q=p$"
        write_result(folder, result(f"twin {n}", {CHECK: text}))
    write_run(folder)
    return Desk(folder, "Ada")


def test_same_answers_are_marked_once_and_stay_their_own(folder: Path) -> None:
    desk = _twins(folder, 4)
    twins = [a for a in _answers(desk) if a.student.startswith("twin")]
    assert {a.student for a in desk.same(twins[0])} == {a.student for a in twins[1:]}
    _give(desk, twins[3], who="Ben", fixed=1.0)
    done = desk.steps("Ada").mark(twins[0], Mark(fixed=6.0), 0, "k", desk.same(twins[0]))
    assert len(done) == 3
    assert [_points(desk, a) for a in twins] == [6, 6, 6, 1], "what somebody has decided stays"
    _give(desk, twins[1], fixed=9.0)
    desk.steps("Ada").mark(twins[0], Mark(fixed=7.0), done[0].id, "k2", desk.same(twins[0]))
    assert [_points(desk, a) for a in twins] == [7, 9, 7, 1], "who was marked alone stays alone"
    assert len(desk.steps("Ada").undo(CHECK, "")) == 2
    assert [_points(desk, a) for a in twins] == [6, 9, 6, 1]
    desk.close()


# ---------------------------------------------------------------- two markers, set answers, shares


def test_two_mark_blind_and_a_difference_waits_for_a_last_word(rubric: Desk) -> None:
    rubric.steps("Ada").double(CHECK, 1.0)
    answer, other, *_ = _answers(rubric)
    state, number = rubric.ledger.state, rubric.ids[answer.student]
    _give(rubric, answer, "a", who="Ada")
    assert rubric.queue.standing(state, answer).status == SECOND
    seen = views.answer(rubric, "Ben", CHECK, number, "", False)
    assert (seen["mark"], seen["others"], seen["history"], seen["waits"]) == (None, [], [], True)
    assert views.answer(rubric, "Ada", CHECK, number, "", False)["waits"] is False
    _give(rubric, answer, "b", who="Ben")
    assert rubric.queue.standing(state, answer).status == DISAGREE
    (found,) = views.team(rubric, "Ada", False)["differences"]
    assert (found["apart"], sorted(m["points"] for m in found["marks"])) == (1.5, [6.5, 8])
    rubric.steps("Ada").mark(answer, Mark(items=("b",)), 0, "", settles=True)
    assert _points(rubric, answer) == 6.5
    for who in ("Ada", "Ben"):
        _give(rubric, other, "c", who=who)
    assert rubric.queue.standing(state, other).status == DONE


def test_a_set_answer_comes_first_blind_and_is_compared(rubric: Desk) -> None:
    answer = _answers(rubric)[-1]
    with pytest.raises(BadInput, match="Mark the answer first"):
        rubric.steps("Ada").calibrate(answer, True)
    _give(rubric, answer, "a")
    rubric.steps("Ada").calibrate(answer, True)
    assert rubric.queue.mine(rubric.ledger.state, "Ben", CHECK)[0] == answer
    number = rubric.ids[answer.student]
    assert views.answer(rubric, "Ben", CHECK, number, "", False)["others"] == []
    _give(rubric, answer, "b", who="Ben")
    assert [m["points"] for m in views.answer(rubric, "Ben", CHECK, number, "", False)["others"]] == [8]
    assert _points(rubric, answer) == 8, "the mark that was set counts"
    (found,) = views.team(rubric, "Ada", False)["calibration"]
    assert {m["who"]: m["points"] for m in found["marks"]} == {"Ada": 8, "Ben": 6.5}


def test_shares_part_the_students_and_each_has_an_order_of_their_own(desk: Desk) -> None:
    state = desk.ledger.state
    for part, who in enumerate(("Ben", "Eve")):
        desk.steps("Ada").share(who, [], part, 2)
    ben, eve = ({a.student for a in desk.queue.mine(state, who, CHECK)} for who in ("Ben", "Eve"))
    assert ben | eve == {a.student for a in _answers(desk)}
    assert not ben & eve
    desk.steps("Ada").share("Ben", [OTHER], 0, 1)
    assert desk.queue.mine(state, "Ben", CHECK) == []
    assert len(desk.queue.mine(state, "Ben", OTHER)) == 7
    assert [a.student for a in _answers(desk, "Ada")] != [a.student for a in _answers(desk, "Mia")]
    assert [a.student for a in _answers(desk, "Ada")] == [
        a.student for a in Desk(desk.folder, "x").queue.order("Ada", CHECK)
    ]


def test_names_are_not_sent_unless_asked_for(desk: Desk) -> None:
    answer = _answers(desk)[0]
    number = desk.ids[answer.student]
    everything = [
        views.overview(desk, "Ada"), views.part(desk, "Ada", CHECK), views.answer(desk, "Ada", CHECK, number, "", False),
        views.students(desk, "Ada", False), views.student(desk, "Ada", number, False), views.team(desk, "Ada", False),
        views.search(desk, "Ada", CHECK, "", "", False),
    ]  # fmt: skip
    assert not any(student in str(everything) for student in desk.ids)
    assert views.answer(desk, "Ada", CHECK, number, "", True)["name"] == answer.student


def test_markers_in_numbers(rubric: Desk) -> None:
    one, two, three, *_ = _answers(rubric)
    _give(rubric, one, "a")
    _give(rubric, two, "a", "b")
    _give(rubric, three, who="Ben")
    ada, ben = views.team(rubric, "Ada", False)["markers"]
    assert (ada["name"], ada["marked"], ada["mean"], ada["spread"]) == (
        "Ada",
        2,
        pytest.approx(0.625),
        pytest.approx(0.175),
    )
    assert (ben["mean"], ben["pace"]) == (1.0, None)
    assert ada["pace"] is not None


# ---------------------------------------------------------------- handed in anew


def test_a_resubmission_reopens_what_changed_and_shows_the_difference(rubric: Desk, folder: Path) -> None:
    kept, changed = (a for a in _answers(rubric) if a.student in ("student 0001", "student 0002"))
    other = next(a for a in _answers(rubric, check=OTHER) if a.student == changed.student)
    for answer in (kept, changed, other):
        _give(rubric, answer)
    texts = {a.check: a.text for a in rubric.queue.of_student(changed.student)} | {
        CHECK: changed.text + " And $x > 0$."
    }
    write_result(folder, result(changed.student, texts))
    write_run(folder)
    assert rubric.is_behind()
    rubric.reread(read_classroom(folder))
    state = rubric.ledger.state
    now = rubric.answer(CHECK, rubric.ids[changed.student])
    assert rubric.queue.standing(state, now).status == REOPENED
    assert [rubric.queue.standing(state, a).status for a in (kept, other)] == [DONE, DONE]
    shown = views.answer(rubric, "Ada", CHECK, rubric.ids[changed.student], "", False)["reopened"]
    assert "<ins>" in shown["difference"]
    assert "And" in shown["difference"].partition("<ins>")[2]
    assert shown["are_pictures_same"]
    _give(rubric, now, "a")
    assert _points(rubric, now) == 8


def test_a_folder_without_answers_is_said_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(NothingToMark, match=r"Nothing in .* waits for a person"):
        read_classroom(tmp_path)


# ---------------------------------------------------------------- adjustments, claims, keys


def test_an_adjustment_has_a_reason_and_can_be_withdrawn(desk: Desk) -> None:
    student = "student 0000"
    for target, points, reason, words in (
        ("total", 1, " ", "reason"),
        ("nothing", 1, "r", "no check"),
        ("total", 0, "r", "no adj"),
    ):
        with pytest.raises(BadInput, match=words):
            desk.steps("Ada").adjust(student, target, points, reason)
    (event,) = desk.steps("Ada").adjust(student, "total", -3, "late by a day")
    assert [e.body["points"] for e in desk.ledger.state.adjustments(student)] == [-3]
    desk.steps("Ben").withdraw(student, event.id)
    assert desk.ledger.state.adjustments(student) == []
    with pytest.raises(Stale):
        desk.steps("Ben").withdraw(student, event.id)


def test_a_claim_expires_and_is_told_to_others() -> None:
    now = [0.0]
    claims, place = Claims(lambda: now[0]), ("ada", CHECK)
    assert claims.here("Ada", "page 1", place)
    assert not claims.here("Ada", "page 1", place), "nothing new"
    assert (claims.others("Ben", place), claims.others("Ada", place)) == (["Ada"], [])
    now[0] = SECONDS + 1
    assert claims.others("Ben", place) == []
    claims.here("Ada", "page 1", place)
    assert claims.here("Ada", "page 1", None)
    assert claims.others("Ben", place) == []


def test_the_next_that_waits_is_one_that_nobody_is_at(desk: Desk) -> None:
    first, second, *_ = _answers(desk)
    state = desk.ledger.state
    taken = {first.student}
    assert desk.queue.next_open(state, "Ada", _answers(desk), None, lambda a: a.student in taken) == second
    everybody = {a.student for a in _answers(desk)}
    assert desk.queue.next_open(state, "Ada", _answers(desk), None, lambda a: a.student in everybody) == first


def test_an_address_opens_once_for_one_name(desk: Desk) -> None:
    now = [0.0]
    people = People(desk.ledger, "Ada", lambda: now[0])
    token = people.new_address("Ben")
    session = people.join(token)
    assert session is not None
    assert people.join(token) is None
    assert people.who(session) == "Ben"
    people.end("Ben")
    assert people.who(session) is None
    token = people.new_address("Ada")
    now[0] = 3601.0
    assert people.join(token) is None
    for name in ("", "x" * 41, "<script>", "sheet points.csv", "a\tb;"):
        with pytest.raises(BadInput, match="will not do"):
            people.new_address(name)
