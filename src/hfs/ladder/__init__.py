"""The world -> small models of real classes, each trained from nothing: the rungs of a ladder.

`words` makes the tokenizer, `backbone` the two towers, `slm` the language model that thinks,
`reader` the multimodal model that answers; what they look at comes from `pool`.
"""
