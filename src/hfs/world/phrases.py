"""What is asked, in many words: patterns for each kind of question, two or three of each."""

PATTERNS: dict[str, tuple[str, ...]] = {
    "digit": (
        "{which|what} {digit|number} {is shown|appears|can be seen|is displayed} "
        "{with|next to|beside} the <x>?",
        "{when|while} the <x> is {on screen|visible}, {which|what} {digit|number} "
        "{is shown|appears|can be seen}?",
        "{look at|watch} the <x>: {which|what} {digit|number} {is shown|appears} "
        "{with|next to|beside} it?",
    ),
    "letter": (
        "{which|what} letter {is shown|appears|can be seen|is displayed} "
        "{with|next to|beside} the <x>?",
        "{when|while} the <x> is {on screen|visible}, {which|what} letter "
        "{is shown|appears|can be seen}?",
        "{look at|watch} the <x>: {which|what} letter {is shown|appears|can be seen} "
        "{with|next to|beside} it?",
    ),
    "word": (
        "{which|what} word {is written|can be read|is displayed} {with|below|beside} the <x>?",
        "{when|while} the <x> is {on screen|visible}, {which|what} word "
        "{is written|can be read|is displayed}?",
        "{look at|watch} the <x>: {which|what} word {is written|can be read} "
        "{with|below|beside} it?",
    ),
    "event": (
        "what {happens to|does the video do to|becomes of} the <x> {|at some point|for a moment}?",
        "{look at|watch} the <x>: what {happens|happens to it|happens there} "
        "{|at some point|for a moment}?",
        "{when|while} the <x> is {on screen|visible}, what happens to it "
        "{|at some point|for a moment}?",
    ),
    "order": (
        "which {is shown|appears|can be seen|comes} {first|earlier|before the other}, "
        "the <x> or the <y>?",
        "{look at|watch} the <x> and the <y>: which {is shown|appears|comes} "
        "{first|earlier|before the other}?",
        "of the <x> and the <y>, which {is shown|appears|can be seen|comes} "
        "{first|earlier|before the other}?",
    ),
    "compare": (
        "which {is shown with|appears with|has} the {larger|greater} {digit|number}, "
        "the <x> or the <y>?",
        "{look at|watch} the <x> and the <y>: which {is shown with|has} the {larger|greater} "
        "{digit|number}?",
        "of the <x> and the <y>, which {is shown with|appears with|has} the {larger|greater} "
        "{digit|number}?",
    ),
    "count": (
        "how many {different|distinct} letters {are shown|appear|can be seen|are displayed} "
        "{with|next to|beside} <c> shapes?",
        "{when|while} <c> shapes are {on screen|visible}, how many {different|distinct} letters "
        "{are shown|appear|can be seen}?",
        "{look at|watch} the <c> shapes: how many {different|distinct} letters "
        "{are shown|appear} {with|next to|beside} them?",
    ),
    "after": (
        "{which|what} <a> {is the shape|has the shape} that {is shown|appears|comes} "
        "{directly|right} after the <x>?",
        "{directly|right} after the <x>, {another shape|the next shape} "
        "{is shown|appears|comes}: {which|what} <a> is it?",
    ),
    "before": (
        "{which|what} <a> {is the shape|has the shape} that {is shown|appears|comes} "
        "{directly|right} before the <x>?",
        "{directly|right} before the <x>, {another shape|the last shape} "
        "{is shown|appears|comes}: {which|what} <a> is it?",
    ),
    "absence": (
        "{which|what} {of these|one} {never appears|is never shown|can never be seen|is missing}: "
        "<list>?",
        "of <list>, {which|what} {one|of these} {never appears|is never shown|is missing}?",
        "{look for|watch for} <list>: {which|what} {one|of these} "
        "{never appears|is never shown|is missing}?",
    ),
    "most": (
        "{where|on what ground} does {most of|the greater part of|the larger part of} the video "
        "{take place|play|happen}?",
        "{which|what} {ground|place} {is shown|appears|can be seen} for "
        "{most of|the greater part of|the larger part of} the video?",
    ),
    "said": (
        "{according to|as told by} the {speech|narrator|subtitles}, where does the <x> "
        "{come from|originate}?",
        "where {is the <x> said to come|does the <x> come} from, {according to|as told by} the "
        "{speech|narrator|subtitles}?",
        "{listen to|follow} the {speech|narrator|subtitles}: where does the <x> "
        "{come from|originate}?",
    ),
}

EVENT_TEXTS = {
    "flash": "it flashes",
    "split": "it splits",
    "shrink": "it shrinks",
    "leave": "it leaves",
    "hit": "a ball hits it",
}
