"""A letter is read only where the text can be read in one way."""

import pytest

from hfs.answers import letter, letters
from hfs.errors import UsageError

OPTIONS = ("A red boat", "the cat", "A dog", "A. Lincoln")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("B", "B"),
        ("b", "B"),
        ("a", "A"),
        (" (B) ", "B"),
        ("(B", "B"),
        ("B.", "B"),
        ("**B**", "B"),
        ("B:", "B"),
        ("B. the cat", "B"),
        ("(B) the cat.", "B"),
        ("B) the cat", "B"),
        ("B\n\nThe cat is on the table.", "B"),
        ("The answer is (B).", "B"),
        ("The answer is B because a cat is seen.", "B"),
        ("The answer is A because a boat is seen.", "A"),
        ("the correct answer is: B", "B"),
        ("Answer: B", "B"),
        ("The best option is B.", "B"),
        ("Final answer: (B) the cat", "B"),
        ("I would choose option B.", "B"),
        ("\\boxed{B}", "B"),
        ("The answer is B, not A.", "B"),
        ("A dog", "C"),
        ("a dog.", "C"),
        ("The cat", "B"),
        ("A. Lincoln", None),
        ("D. A. Lincoln", "D"),
        ("B - the cat", "B"),
        ("B is the correct answer.", "B"),
        ("The answer is 'B'.", "B"),
        ("<answer>B</answer>", "B"),
        ("I see it. <answer> (B) the cat </answer>", "B"),
        ("Therefore the answer is:\n\nB", "B"),
        ("B. The U.S.A. flag, not (A).", "B"),
        ("<answer>A</answer> or <answer>B</answer>", None),
        ("A - B", None),
        ("A. A red boat B. the cat C. A dog D. A. Lincoln", None),
        ("A is shown before B", None),
        ("<think>Is it A? No: B.</think>\nC", "C"),
        ("<think>The answer is A", None),
        ("", None),
        ("A cat", None),
        ("A or B", None),
        ("A, B", None),
        ("(A) or (B)", None),
        ("A. or B.", None),
        ("The answer is A or B.", None),
        ("The answer is A/B", None),
        ("The answer is (A) and (B).", None),
        ("The answer is A. No, the answer is B.", None),
        ("The answer is not B.", None),
        ("The answer is A dog that barks", None),
        ("The answer is a", None),
        ("E", None),
        ("(E) none of them", None),
        ("The answer is E.", None),
        ("Because B is shown first", None),
        ("I think it is the cat", None),
        ("BAD", None),
        ("B. A dog", None),
    ],
)
def test_reads_a_letter_only_where_there_is_one_reading(text, expected):
    assert letter(text, OPTIONS) == expected


def test_the_text_of_an_option_counts_only_if_no_other_has_it():
    assert letter("two", ("one", "two", "Two.")) is None
    assert letter("two", ("one", "two", "three")) == "B"


def test_an_option_that_is_itself_a_letter_does_not_change_what_a_letter_means():
    assert letter("B", ("B", "A", "C", "D")) == "B"


def test_there_are_as_many_letters_as_options():
    assert letters(5) == "ABCDE"
    assert letter("E", ("v", "w", "x", "y", "z")) == "E"
    with pytest.raises(UsageError, match="at most 26"):
        letters(27)
