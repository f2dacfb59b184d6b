"""Words of the synthetic talks: as they are said, and after a bar as a question may put them."""

TOPICS: dict[str, tuple[str, str]] = {
    "beekeeping": (
        "smoker|smoke can, hive|colony, queen|mother bee, drone|male bee, wax comb|honeycomb, "
        "nectar|flower juice, varroa mite|parasite, larva|grub, swarm|departing colony, wooden "
        "frame|rack",
        "calm|soothe, feed|nourish, guard|protect, abandon|leave",
    ),
    "sourdough": (
        "starter|leaven, oven steam|moisture, crust|outer shell, gluten network|dough "
        "structure, rye flour|dark meal, banneton|proofing basket, lactic acid|sourness, "
        "crumb|interior, scoring blade|razor, salt|seasoning",
        "strengthen|reinforce, weaken|soften, raise|lift, dry|dehydrate",
    ),
    "glaciers": (
        "moraine|debris ridge, crevasse|deep crack, firn|old snow, meltwater|runoff, "
        "bedrock|underlying stone, ice tongue|floating front, albedo|reflectivity, "
        "fjord|drowned valley, ogive|banded wave, cirque|mountain hollow",
        "carve|cut, insulate|shield, accelerate|speed up, bury|cover",
    ),
    "suspension bridges": (
        "main cable|steel rope, anchorage|concrete block, tower|pylon, deck|roadway, "
        "hanger|vertical rod, damper|shock absorber, crosswind|gust, saddle|cable seat, "
        "caisson|underwater chamber, truss|stiffening lattice",
        "support|carry, twist|warp, dampen|reduce, overload|strain",
    ),
    "letterpress": (
        "movable type|metal letters, ink roller|brayer, platen|pressing plate, chase|locking "
        "frame, linseed oil|varnish, composing stick|setter's tray, paper grain|fibre "
        "direction, proof sheet|trial print, gutter|inner margin, serif|finishing stroke",
        "squeeze|compress, smear|smudge, align|straighten, stain|mark",
    ),
    "tidal power": (
        "turbine|rotor, estuary|river mouth, barrage|dam, spring tide|highest water, "
        "sediment|silt, generator|dynamo, sluice gate|water door, salt corrosion|rusting, "
        "seabed cable|undersea line, blade pitch|angle",
        "drive|power, clog|block, erode|wear away, regulate|control",
    ),
    "coral reefs": (
        "polyp|tiny animal, symbiotic algae|plant partner, parrotfish|grazing fish, "
        "lagoon|shallow pool, starfish|sea star, limestone|calcium rock, bleaching|whitening, "
        "plankton|drifting food, seagrass|underwater meadow, spawning|egg release",
        "feed|nourish, destroy|wreck, shelter|protect, starve|deprive of food",
    ),
    "violin making": (
        "sound post|inner dowel, spruce top|front plate, bridge|string holder, varnish|lacquer, "
        "bass bar|inner beam, purfling|edge inlay, peg box|tuning head, hide glue|adhesive, "
        "scroll|carved head, gouge|carving tool",
        "transmit|pass on, muffle|dull, stiffen|make rigid, warm|mellow",
    ),
    "spacecraft": (
        "heat shield|thermal barrier, solar sail|light-driven sheet, gyroscope|spin sensor, "
        "thruster|small engine, star tracker|sky camera, hydrazine|propellant, antenna "
        "dish|radio reflector, parachute|descent canopy, docking ring|coupling port, battery "
        "pack|power cell",
        "steer|guide, overheat|scorch, stabilise|steady, jettison|throw away",
    ),
    "vaccines": (
        "adjuvant|booster substance, antibody|immune protein, memory cell|long-lived "
        "lymphocyte, spike protein|surface antigen, cold chain|refrigerated transport, "
        "placebo|dummy shot, lipid shell|fat envelope, fever|raised temperature, "
        "needle|injection, serum|blood fluid",
        "train|teach, trigger|provoke, neutralise|disarm, spoil|ruin",
    ),
    "viticulture": (
        "rootstock|grafted base, canopy|leaf cover, tannin|bitterness, mildew|fungus, frost "
        "candle|orchard heater, oak barrel|cask, grape skin|peel, harvest crew|pickers, "
        "limestone soil|chalky ground, yeast|fermenting microbe",
        "ripen|mature, poison|sicken, cool|chill, flavour|season",
    ),
    "chess engines": (
        "transposition table|position memory, pruning|cutting branches, endgame database|final "
        "position archive, evaluation network|scoring model, opening book|prepared lines, "
        "passed pawn|unopposed foot soldier, king safety|royal protection, search depth|plies "
        "ahead, hash collision|key clash, time control|clock limit",
        "outplay|beat, mislead|fool, shorten|trim, weigh|judge",
    ),
    "earthquakes": (
        "fault line|crustal fracture, aftershock|later tremor, seismograph|ground recorder, "
        "pressure wave|first arrival, liquefaction|soil turning fluid, base isolator|rubber "
        "foundation, tsunami|giant sea wave, magnitude|size figure, subduction zone|sinking "
        "plate, early warning|alarm",
        "shake|rattle, precede|come before, topple|knock over, absorb|soak up",
    ),
    "weaving": (
        "warp thread|lengthwise yarn, shuttle|thread carrier, loom|weaving machine, "
        "heddle|thread lifter, selvedge|finished edge, indigo vat|blue dye bath, mordant|colour "
        "fixer, treadle|foot pedal, twill|diagonal cloth, wool|fleece",
        "tighten|pull taut, fray|unravel, dye|colour, lift|raise",
    ),
    "railways": (
        "signal box|control cabin, ballast|track stones, pantograph|roof contact arm, buffer "
        "stop|end barrier, sleeper|cross tie, points motor|switch machine, brake pipe|air line, "
        "wheel flange|inner rim, catenary|overhead wire, timetable|schedule",
        "halt|stop, derail|throw off the track, divert|reroute, wear|grind down",
    ),
    "cheese": (
        "rennet|curdling enzyme, whey|liquid residue, rind|outer skin, blue mould|penicillium, "
        "brine bath|salty soak, cellar humidity|damp air, curd knife|cutting harp, goat "
        "milk|caprine dairy, ripening cave|ageing room, casein|milk protein",
        "curdle|thicken, preserve|keep, invade|colonise, drain|empty",
    ),
    "submarines": (
        "ballast tank|dive chamber, periscope|viewing tube, sonar array|listening device, "
        "pressure hull|inner shell, propeller|screw, reactor|atomic furnace, oxygen candle|air "
        "generator, thermocline|temperature layer, torpedo tube|launcher, rudder|steering fin",
        "flood|fill with water, hide|conceal, crush|squash, silence|quieten",
    ),
    "linguistics": (
        "vowel shift|sound change, creole|mixed language, loan word|borrowed term, case "
        "ending|inflection, tone contour|pitch pattern, dialect border|isogloss, click "
        "consonant|popping sound, child learner|infant, spelling reform|orthography change, "
        "relative clause|subordinate sentence",
        "replace|displace, simplify|reduce, preserve|retain, confuse|puzzle",
    ),
    "volcano": (
        "magma chamber|molten reservoir, ash plume|dust cloud, lava tube|rock tunnel, "
        "caldera|collapsed crater, sulphur gas|acid vapour, pumice|floating stone, "
        "tiltmeter|slope gauge, lahar|mud torrent, basalt column|hexagonal pillar, geyser|hot "
        "spring",
        "bury|cover, melt|liquefy, warn|alert, choke|suffocate",
    ),
    "forestry": (
        "bark beetle|boring insect, understory|lower growth, fire break|cleared strip, "
        "mycelium|fungal web, seedling|young tree, harvester|felling machine, deer fence|game "
        "barrier, windthrow|storm damage, leaf litter|forest floor, nurse log|fallen trunk",
        "shade|darken, infest|attack, sustain|keep alive, thin|clear",
    ),
}

CAUSES = (
    "pressure builds up faster than it can escape|pressure",
    "the temperature changes by only a few degrees|temperature",
    "the surface is rougher than it looks|roughness",
    "the timing is off by a fraction|timing",
    "nobody had measured the vibration before|vibration",
    "moisture creeps in overnight|moisture",
    "the cost of doing nothing is far higher|cost",
    "one side carries twice the load|uneven load",
    "the light reaches it at a low angle|light angle",
    "there is simply not enough oxygen around|lack of oxygen",
    "age makes the material brittle|brittleness",
    "friction eats up most of the energy|friction",
)

PEOPLE = (
    "Okafor",
    "Lindqvist",
    "Marchetti",
    "Tanaka",
    "Dubois",
    "Herrera",
    "Novak",
    "Achterberg",
    "Mbeki",
    "Sorensen",
    "Petrakis",
    "Yilmaz",
    "Castellano",
    "Whitlock",
    "Iyer",
    "Kowalczyk",
)

FILLER = (
    "so let me take a step back here for a moment",
    "I want you to keep that in the back of your mind",
    "we will come back to this a little later on",
    "and that brings me to something people ask all the time",
    "you can see it on the slide behind me",
    "let me show you what I mean by that",
    "this is where most people start to lose patience",
    "I remember giving this talk a couple of years ago",
    "somebody in the audience explained it better than I did",
    "there is a lot of detail that I am skipping over",
    "if you have a question please just raise your hand",
    "what does that mean in practice well it depends",
    "the speaker before me said something very similar",
    "now this is the important part so listen carefully",
    "it took us about three months to work that out",
    "I will explain the reason in a minute",
    "which of these would you have picked",
    "and honestly I was surprised by how well it worked",
    "some of you may have seen the video that went around",
    "so where does that leave us",
    "how much of this is luck I really do not know",
    "give me a second to find the right picture",
    "thank you for that very good question",
    "okay let us move on",
)

BACKGROUND = (
    "when you think of {topic} the first thing you picture is the {a}",
    "every textbook on {topic} has a drawing of the {a} in it",
    "the {a} has hardly changed in a hundred years",
    "my own favourite is the {a} and I could talk about it all day",
    "a good {a} is expensive and a bad one is worse",
    "people mix up the {a} and the {b} all the time",
    "we looked at the {a} in {n} different places",
    "you will find the {a} wherever {topic} is taken seriously",
)

DIGRESSIONS = (
    "it is a bit like the {a} and the {b} in {topic} but that is another talk",
    "my neighbour keeps going on about the {a} and what it does to the {b}",
    "the same people who ask about the {a} also ask about the {b}",
    "do not get me started on the {a} or on the {b}",
)

PASSAGE = (
    ("now look at what the {a} does to the {b}", "the {a} will {verb} the {b}"),
    ("it happens because {cause}",),
    (
        "{who} measured it and found {n} percent in a single {unit}",
        "in the trial by {who} it took {n} {unit}s",
    ),
    ("so once you take away the {a} the effect is gone", "take the {a} out and you get none of it"),
    (
        "that is how you {verb} it without doing any harm",
        "and this is what {verbs} the {b} in the end",
    ),
    (
        "you only notice it when the {b} has already changed",
        "the {b} looks quite different afterwards",
    ),
    (
        "we repeated that in the winter and it held up",
        "that result has been confirmed many times since",
    ),
)

QUESTIONS = (
    "Why does the {a} {verb} the {b}?",
    "What does the speaker say about how the {a} can {verb} the {b}?",
    "According to the video, how does {cause} let the {a} {verb} the {b}?",
    "Where does the lecturer explain what happens when the {a} {verbs} the {b}?",
    "How much of the {b} did {who} find when the {a} started to {verb} it?",
)
