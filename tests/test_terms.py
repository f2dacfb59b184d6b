"""Words of any script -> terms that find one another."""

import pytest

from hfs.terms import asked, terms


def found(question: str, text: str, language: str = "english") -> set[str]:
    """The terms of a question that a text answers to."""
    answers = {term for word in terms(text, language) for term in word}
    return answers & set(asked(question, language))


@pytest.mark.parametrize(
    ("question", "text"),
    [
        ("Why does the smoker calm the hives?", "it calmed every hive near the smoker"),
        ("Почему жидкость кипит?", "она кипит без жидкости"),
        ("冰川为什么融化？", "气候变化正在融化冰川"),
        ("なぜ氷河は溶けるのか", "氷河が溶けると海面が上がる"),
        ("빙하는 왜 녹습니까", "빙하가 녹고 있습니다"),
        ("ธารน้ำแข็งละลายเพราะอะไร", "น้ำแข็งกำลังละลาย"),
        ("लड़कियों ने क्या कहा", "लड़की ने कहा"),
    ],
)
def test_a_question_finds_other_forms_of_its_words(question, text):
    assert len(found(question, text)) >= 2 or "लड़क" in found(question, text)


def test_words_of_the_language_in_latin_letters_are_stemmed_by_its_rules():
    assert found("majestueusement", "majestueux", "french")
    assert not found("majestueusement", "majestueux", "english")
    assert not found("bees", "one bee", "none")


@pytest.mark.parametrize(
    "question",
    [
        "What does the speaker say?",
        "WHAT IS SHOWN IN THE VIDEO?",
        "How is it explained, and why?",
        "视频说了什么？",
        "",
    ],
)
def test_words_that_only_ask_look_for_nothing(question):
    assert asked(question) == {}


def test_an_abbreviation_is_not_taken_for_a_word_that_asks():
    assert "us" in asked("When did the US join?")
    assert asked("When did it reach us?") == {"reach": 1}


@pytest.mark.parametrize("number", ["1990s", "3.5", "2024", "H200", "7"])
def test_numbers_match_as_they_are_written_and_no_others(number):
    assert found(f"What about {number}?", f"about {number}, then")
    assert not found(f"What about {number}?", "about 1990, 35, 20245, h2000 and 77")


def test_separators_of_thousands_and_decimal_commas_do_not_matter():
    assert found("What costs 1,200 and 3,5?", "it was 1200 for 3.5") == {"1200", "3.5"}


def test_a_name_matches_its_kin_less_than_itself():
    question = "What did Marie Williams measure?"
    assert found(question, "Williams") == {"william", "=williams"}
    assert found(question, "William") == {"william"}
    assert asked(question)["william"] == asked(question)["=williams"] == 0.5


def test_each_term_is_asked_for_once():
    assert asked("bee, bees and the bee") == {"bee": 1}
