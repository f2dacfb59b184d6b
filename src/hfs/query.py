"""A question and its options -> a query: what to look for, checked on the way in and out."""

from torch import Tensor

from hfs.backbones import Backbone
from hfs.cache import Cache
from hfs.encoders import Encoder
from hfs.errors import FailureError, UsageError
from hfs.types import Query

LONGEST = 20_000
"""Characters of a question or an option."""
MOST = 100
"""Options of a question."""


def query(
    question: str,
    options: tuple[str, ...],
    encoder: Encoder,
    backbone: Backbone,
    cache: Cache = Cache(None),  # noqa: B008 (frozen)
) -> Query:
    """The encoder's facets of a question, stripped of the space around it and its options.

    An encoder that thinks first keeps its thoughts in the cache.
    Raises UsageError for a question or an option that is empty or too long.
    """
    asked = _text("question", question)
    if len(options) > MOST:
        raise UsageError(f"expected at most {MOST} options, got {len(options)}")
    answers = tuple(_text(f"option {i}", option) for i, option in enumerate(options, 1))
    remembering = getattr(encoder, "remembering", None)
    encode = encoder if remembering is None else remembering(cache)
    made = encode(asked, answers, backbone)
    if fault := _fault(made):
        raise FailureError(
            f"expected a query from {type(encoder).__module__}, got one with {fault}: "
            "use another encoder, and report this to the author of this one"
        )
    return made


def _text(what: str, text: str) -> str:
    stripped = text.strip()
    if not stripped:
        raise UsageError(f"expected the {what} to say something, got {text[:20]!r}")
    if len(stripped) > LONGEST:
        raise UsageError(
            f"expected the {what} to have at most {LONGEST} characters, got {len(stripped)}: "
            "ask about the part that matters"
        )
    return stripped


def _fault(query: Query) -> str:
    """What is wrong with a query, empty if nothing is."""
    m = len(query.facets)
    if m == 0 or not all(facet.strip() for facet in query.facets):
        return f"{m} facets, some or all of them empty"
    if query.weights.shape != (m,) or not bool((query.weights >= 0).all()):
        return f"weights {query.weights.tolist()} for {m} facets"
    if not abs(float(query.weights.sum()) - 1) < 1e-4:
        return f"weights that sum to {float(query.weights.sum()):.4g}"
    if query.implicit is not None and (fault := _implicit_fault(query.implicit, m)):
        return fault
    if query.vectors is None:
        return ""
    if query.vectors.ndim != 2 or query.vectors.shape[0] != m:
        return f"vectors of shape {tuple(query.vectors.shape)} for {m} facets"
    norms = query.vectors.norm(dim=1)
    if not bool(((norms - 1).abs() < 1e-3).all()):
        return f"vectors of norms {norms.min():.3g} to {norms.max():.3g}, not 1"
    return ""


def _implicit_fault(vectors: Tensor, m: int) -> str:
    if vectors.ndim != 2 or vectors.shape[0] != m:
        return f"implicit vectors of shape {tuple(vectors.shape)} for {m} facets"
    return "" if bool(vectors.isfinite().all()) else "implicit vectors that are not finite"
