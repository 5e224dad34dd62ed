"""What is believed of score columns before anything has been learned."""

from __future__ import annotations

import pytest

from selector.decide._beliefs import beliefs_of
from selector.domain import InputError
from selector.learn.belief import KNOWN_DIRECTION
from selector.learn.prior import WITHOUT_POINTS
from selector.registry import BUILTIN_SCORERS, create_scorer

BUILTIN = beliefs_of({name: create_scorer(name) for name in BUILTIN_SCORERS}, [], {})


@pytest.mark.parametrize("column", sorted(WITHOUT_POINTS))
def test_no_edit_and_parts_of_a_whole_are_no_good_news_by_themselves(column: str) -> None:
    assert BUILTIN[column].correlation == 0
    assert BUILTIN[column].beyond


def test_a_column_that_the_prior_does_not_know_is_believed_in_its_own_direction() -> None:
    assert BUILTIN["hf_detector.fake_probability"].correlation == -KNOWN_DIRECTION.correlation
    assert BUILTIN["preference.similarity"].correlation == KNOWN_DIRECTION.correlation


def test_no_built_in_column_is_believed_beside_the_whole_that_it_is_a_part_of() -> None:
    """A new column of a built-in scorer needs a row in the prior, a place in ``WITHOUT_POINTS``, or a place here."""
    by_direction = {column for column, belief in BUILTIN.items() if not belief.beyond}
    alone = {"hf_detector.fake_probability", "preference.similarity", "pyiqa.musiq"}
    assert by_direction == alone | {"identity.original_cosine", "identity.original_distance"}


def test_a_measured_score_is_believed_as_its_user_says_and_shares_with_others() -> None:
    scorers = {"clip_similarity": create_scorer("clip_similarity")}
    belief = beliefs_of(scorers, [], {}, {"clip_similarity.similarity": 0.4})
    assert belief["clip_similarity.similarity"].correlation == 0.4
    assert not belief["clip_similarity.similarity"].beyond


def test_a_measured_column_that_is_misspelt_is_refused() -> None:
    scorers = {"clip_similarity": create_scorer("clip_similarity")}
    with pytest.raises(InputError, match=r"clip_similarity\.similarity"):
        beliefs_of(scorers, [], {}, {"clip_similarity.similarty": 0.4})
