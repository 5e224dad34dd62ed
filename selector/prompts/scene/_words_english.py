"""English words of prompts: numbers, relations, verbs, and what is no object. Attributes are in their own file."""

from __future__ import annotations

from selector.prompts.scene._types import Kind
from selector.prompts.scene._words import words

NUMBERS: dict[str, int] = {
    "two": 2,
    "three": 3,
    "four": 4,
    "five": 5,
    "six": 6,
    "seven": 7,
    "eight": 8,
    "nine": 9,
    "ten": 10,
    "one": 1,
    "single": 1,
    "eleven": 11,
    "twelve": 12,
    "thirteen": 13,
    "fourteen": 14,
    "fifteen": 15,
    "sixteen": 16,
    "seventeen": 17,
    "eighteen": 18,
    "nineteen": 19,
    "twenty": 20,
    "thirty": 30,
    "forty": 40,
    "fifty": 50,
}
LARGE = frozenset(  # part of a number, but nobody counts so many in a picture
    words(
        "sixty seventy eighty ninety hundred hundreds thousand thousands million millions billion billions dozen"
        " dozens countless"
    )
)
DETERMINERS = frozenset(
    words(
        "a an the this that these those his her its their my your our another each every some several"
        " many few various numerous multiple other both all"
    )
)
DENIED = frozenset(words("no without not never lacking minus except"))
LIKENED = frozenset(words("like as than resembling for about into-like"))  # what follows is not in the picture
BE = frozenset(words("is are was were looks appears seems be"))
PRONOUNS = frozenset(words("it them him he she they one"))
ABOUT = frozenset(  # before a number: it is no exact one
    ("at least", "at most", "more than", "fewer than", "less than", "up to", "almost", "nearly", "roughly", "around",
     "approximately", "about")
)  # fmt: skip
OF_COUNT: dict[str, int | None] = {
    "a pair of": 2, "pair of": 2, "a couple of": 2, "couple of": 2, "a trio of": 3, "a group of": None,
    "a bunch of": None, "a set of": None, "a lot of": None, "lots of": None, "a number of": None, "a row of": None,
    "a herd of": None, "a flock of": None, "a crowd of": None, "a pile of": None, "a stack of": None,
    "a variety of": None, "groups of": None, "a dozen": 12, "half a dozen": 6, "dozens of": None,
    "a score of": None, "scores of": None, "tens of": None, "hundreds of": None, "thousands of": None,
    "millions of": None, "tens of thousands of": None, "hundreds of thousands of": None,
}  # fmt: skip
RELATIONS: dict[str, Kind] = {
    **dict.fromkeys(
        ("to the left of", "to the left side of", "on the left side of", "on the left of", "left of", "at the left of"),
        "left",
    ),
    **dict.fromkeys(
        ("to the right of", "to the right side of", "on the right side of", "on the right of", "right of",
         "at the right of"),
        "right",
    ),
    **dict.fromkeys(("above", "over", "higher than"), "above"),
    **dict.fromkeys(("below", "lower than"), "below"),
    **dict.fromkeys(("on top of", "on the top of", "atop", "upon", "on", "onto"), "on"),
    **dict.fromkeys(("under", "underneath", "beneath"), "under"),
    **dict.fromkeys(("inside", "inside of", "within", "in"), "in"),
    **dict.fromkeys(
        ("next to", "beside", "near", "alongside", "adjacent to", "close to", "by the side of", "at the side of",
         "on the side of"),
        "beside",
    ),
    **dict.fromkeys(("in front of",), "in_front"),
    **dict.fromkeys(("behind", "at the back of", "in back of"), "behind"),
}  # fmt: skip
FUNCTION = frozenset(
    words(
        "of and or with in on at by from to onto into through across along around between among against"
        " towards toward over off out up down who whose which where while when but because so if then very"
        " quite there here during before after until since also only just i we you me us him what how too"
        " both together"
    )
)
FINITE = frozenset(
    words(
        "sits stands lies rests hangs floats flies runs walks jumps leaps swims plays eats drinks holds"
        " wears carries looks watches reads rides drives sleeps leans faces grows shines hovers hides"
        " waits rolls falls climbs pulls pushes throws catches kicks chases follows surrounds covers"
        " contains has have had sit stand lie rest hang float swim walk sleep perches perch lay stood sat"
        " hung held flew ran shows show says reads said glows displays rising rises sells emerges emerge"
        " reflects towers sails sail roams glides dances sings cooks smiles hold wear grow can will worn"
        " drawn thrown seen made shown driven ridden hidden set laid built kept filled shines cast casts"
        " gazes meets passes crosses burns wraps fills drops lands rest fly run play read"
    )
)
OPINION = frozenset(
    words(
        "abstract high low beautiful cute majestic lovely friendly happy sad adorable gorgeous elegant"
        " stunning magnificent pretty handsome charming cozy rustic delicate graceful playful proud brave"
        " fierce angry lonely peaceful serene mysterious magical realistic detailed simple solid bright"
        " dark light vibrant vivid cinematic fantastic futuristic traditional typical classic ornate"
        " exotic wild fresh delicious tasty dramatic epic intricate whimsical single lone solitary"
        " different identical similar same sunny rainy snowy busy quiet calm abandoned hot cold warm cool"
        " clear lush thick thin narrow wide heavy photorealistic surreal clean dirty real very matte ripe"
        " perfect"
    )
)
NO_OBJECT = frozenset(
    words(
        "nobody nothing someone somebody everyone anyone number light lighting sunlight moonlight night"
        " day morning evening afternoon dusk dawn sunset sunrise style background foreground view distance"
        " middle center centre top bottom side front back left right corner edge scene atmosphere mood"
        " composition quality resolution detail color colour tone palette shadow focus angle shot"
        " perspective time hour way air rain wind fog mist weather summer winter spring autumn love art"
        " photography photo photograph picture image painting illustration rendering render drawing sketch"
        " portrait frame closeup close-up wallpaper poster texture pose row line circle-of world year foot"
        " inch mile meter metre minute second degree kind type piece part rest lot smile expression"
        " surface inside outside interior stance dreamworld word letter text caption look motion action"
        " midair mid-air space contrast glow dream story-telling effect design realism camera lens film"
        " motion-blur aesthetic vibe theme concept end half attention hyperrealism artstation darkness"
        " brightness surrounding arrangement variety noon midnight fashion manner point"
    )
)
COMPOUNDS = frozenset(  # objects, although their last word alone is none
    ("picture frame", "photo frame", "window frame", "street light", "traffic light", "ceiling light", "night stand")
)
PLACES = frozenset(
    words(
        "forest beach street road city room field garden park kitchen grass floor ground sky sea ocean"
        " water lake river snow sand desert mountain hill valley meadow lawn sidewalk pavement town"
        " village countryside jungle wood woods studio office restaurant cafe museum library classroom"
        " bedroom bathroom backyard yard farm farmland harbor port station airport stage stadium market"
        " shop store hall church landscape cityscape wall ceiling cloud path trail highway track shore"
        " coast pond plaza alley seashore seaside riverside horizon corridor world scenery earth moon"
    )
)
CLOTHES = frozenset(  # "a man in a coat" is no place
    words(
        "coat jacket shirt t-shirt dress suit hat raincoat sweater hoodie uniform jeans pants skirt robe"
        " armor armour gown costume kimono outfit clothes clothing apron cloak cape scarf glove shoe boot"
        " tuxedo vest blouse shorts sunglasses helmet spacesuit overalls"
    )
)
CONTAINERS = words(
    "photo photograph picture image painting illustration drawing sketch portrait close-up closeup"
    " shot view render rendering scene snapshot watercolor watercolour cartoon poster artwork selfie"
    " depiction print still-life"
)
STYLE = frozenset(
    words(
        "4k 8k 2k 16k hd uhd fhd hdr cinematic photorealistic realistic hyperrealistic ultra"
        " ultra-realistic ultra-detailed detailed masterpiece quality trending artstation unreal octane"
        " render rendering bokeh depth-of-field lighting resolution style art artwork watercolor"
        " watercolour illustration photography composition lens 35mm 50mm 85mm dslr sharp focus aesthetic"
        " minimalist minimalism impressionism raytracing ray-traced volumetric isometric atmosphere mood"
        " background professional award-winning lighting light photo intricate details detail colors"
        " colours palette tones exposure shot view angle deviantart pixiv cgi anime surrealism realism"
        " wallpaper high-resolution vivid vibrant"
    )
)
ING_NOUNS = frozenset(
    words(
        "ring king building wing string painting earring ceiling evening morning clothing swing spring"
        " wedding railing thing duckling dumpling sibling seedling pudding icing flooring lightning sling"
        " viking drawing awning stocking gosling crossing clearing bedding parking starling sterling"
        " herring frosting"
    )
)
ED_NOUNS = frozenset(words("bed seed shed reed weed sled steed breed feed bobsled red flatbed hundred moped seabed"))
LY_WORDS = frozenset(words("fly butterfly lily family belly jelly assembly dragonfly lovely friendly curly bully"))
S_SINGULAR = frozenset(
    words(
        "glass grass bus dress lens cross chess canvas compass moss boss class pass cactus octopus circus"
        " walrus hippopotamus iris platypus mattress princess waitress actress campus virus kiss fortress"
        " chess cutlass harness molasses tennis christmas physics gas paris texas venus lotus hibiscus"
        " crocus abacus papyrus asparagus bass brass headdress sundress wilderness goddess hostess lioness"
        " this is"
    )
)
PLURAL_ONLY = frozenset(words("glasses pants jeans scissors trousers shorts sunglasses headphones binoculars goggles"))
IRREGULAR: dict[str, str] = {
    "men": "man", "women": "woman", "children": "child", "people": "person", "mice": "mouse", "geese": "goose",
    "feet": "foot", "teeth": "tooth", "wolves": "wolf", "leaves": "leaf", "knives": "knife", "loaves": "loaf",
    "shelves": "shelf", "calves": "calf", "oxen": "ox", "fishermen": "fisherman", "snowmen": "snowman",
    "firemen": "fireman", "policemen": "policeman", "elves": "elf", "halves": "half", "scarves": "scarf",
    "cookies": "cookie", "movies": "movie", "pies": "pie", "ties": "tie", "zombies": "zombie", "shoes": "shoe",
    "horseshoes": "horseshoe", "canoes": "canoe", "axes": "axe", "horses": "horse", "houses": "house",
    "roses": "rose", "vases": "vase", "cases": "case", "suitcases": "suitcase", "bookcases": "bookcase",
    "noses": "nose", "nurses": "nurse", "purses": "purse", "blouses": "blouse", "oranges": "orange",
    "cages": "cage", "bridges": "bridge", "spices": "spice", "cheeses": "cheese", "hoses": "hose",
    "lighthouses": "lighthouse", "greenhouses": "greenhouse", "seahorses": "seahorse", "mooses": "moose",
}  # fmt: skip
UNITS = frozenset(
    words(
        "year foot inch mile meter metre minute second degree hour time o'clock am pm percent km mm cm"
        " story people-tall"
    )
)
