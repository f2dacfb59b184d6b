"""A question -> its chain of thought: the visual cues to look for, one a line.

It follows from the question alone and gives nothing of the answer away. A line begins with when,
what, read, compare or count, and goes on in the words of the captions.
"""

from hfs.world.questions import Asked

CUE_WORDS = ("when", "what", "read", "compare", "count")


def thought(asked: Asked) -> str:
    """The cues, one a line."""
    return "\n".join(_cues(asked))


def _cues(asked: Asked) -> list[str]:
    names = asked.names
    if asked.kind in ("digit", "letter"):
        return [
            f"when the {names[0]} is on screen",
            f"read the {asked.kind} shown with the {names[0]}",
        ]
    if asked.kind == "word":
        return [
            f"when the {names[0]} is on screen",
            f"read the word written below the {names[0]}",
        ]
    if asked.kind == "event":
        return [f"when the {names[0]} is on screen", f"what happens to the {names[0]}"]
    if asked.kind == "order":
        return [
            *(f"when the {name} is on screen" for name in names),
            f"compare the times of the {names[0]} and the {names[1]}",
        ]
    if asked.kind == "compare":
        return [
            *(f"read the digit shown with the {name}" for name in names),
            f"compare the digits of the {names[0]} and the {names[1]}",
        ]
    if asked.kind == "count":
        return [
            f"when a {names[0]} shape is on screen",
            f"read the letter shown with a {names[0]} shape",
            f"count the different letters of {names[0]} shapes",
        ]
    if asked.kind in ("after", "before"):
        return [
            f"when the {names[0]} is on screen",
            f"what {names[1]} is shown {asked.kind} the {names[0]}",
        ]
    if asked.kind == "absence":
        return [f"when {name} is on screen" for name in names]
    if asked.kind == "most":
        return ["what ground is on screen", "count how often each ground is on screen"]
    return [
        f"when the {names[0]} is on screen",
        f"what is said about where the {names[0]} comes from",
    ]
