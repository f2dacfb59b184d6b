"""The world -> small models of real classes, each trained from nothing: the rungs of a ladder.

`words` makes the tokenizer, `models` all models; `seeing`, `thinking`, `naming` and `reading` are
the rungs' data and losses, on frames of `pool` and on `films`; `learner` holds it all.
"""
