"""English words of prompts: attributes with their kind, numbers, relations, and what is no object."""

from __future__ import annotations

from selector.perception.scene.types import Kind
from selector.perception.scene.words import words


def _of(kind: str, text: str) -> dict[str, str]:
    return dict.fromkeys(words(text), kind)


ATTRIBUTES: dict[str, str] = {
    **_of(
        "colour",
        "red orange yellow green blue purple violet pink brown black white grey gray cyan turquoise teal magenta golden"
        " gold silver silvery beige crimson scarlet maroon navy indigo lavender ivory tan cream olive amber blonde"
        " ginger colorful colourful multicolored multicoloured rainbow lilac burgundy khaki bronze",
    ),
    **_of(
        "material",
        "wooden wood metal metallic glass plastic stone brick marble leather paper cardboard brass copper iron steel"
        " concrete ceramic porcelain velvet silk cotton wool woolen woollen knitted rubber crystal straw bamboo clay"
        " linen denim lace wicker granite cast-iron",
    ),
    **_of("size", "small big large tiny huge tall short long giant little enormous gigantic miniature massive mini"),
    **_of("shape", "round square rectangular triangular circular oval spherical cubic cylindrical flat curved spiral"),
    **_of("pattern", "striped spotted dotted checkered chequered plaid polka-dot floral patterned plain zigzag"),
    **_of("age", "old young new ancient vintage antique modern elderly rusty weathered"),
    **_of("texture", "fluffy furry smooth rough shiny soft hard curly hairy bald spiky fuzzy glossy transparent"),
    **_of("state", "open closed empty full broken burning wet dry lit unlit steaming sliced peeled folded"),
}
# Another word of the same kind, to compare with when the prompt itself names none. The first that fits is taken.
RIVALS: dict[str, tuple[str, ...]] = {
    "colour": ("red", "blue", "green", "yellow", "black", "white"),
    "material": ("wooden", "metal", "glass", "stone", "plastic"),
    "size": ("small", "large"),
    "shape": ("round", "square"),
    "pattern": ("plain", "striped", "spotted"),
    "age": ("old", "new"),
    "texture": ("smooth", "fluffy"),
    "state": (),
}
ANTONYMS: dict[str, str] = {
    "small": "large",
    "tiny": "huge",
    "little": "big",
    "mini": "giant",
    "miniature": "giant",
    "short": "tall",
    "large": "small",
    "big": "small",
    "huge": "tiny",
    "giant": "tiny",
    "enormous": "tiny",
    "gigantic": "tiny",
    "massive": "tiny",
    "tall": "short",
    "long": "short",
    "old": "young",
    "elderly": "young",
    "young": "old",
    "ancient": "modern",
    "vintage": "modern",
    "antique": "modern",
    "modern": "old",
    "new": "old",
    "fluffy": "smooth",
    "furry": "hairless",
    "smooth": "rough",
    "rough": "smooth",
    "soft": "hard",
    "hard": "soft",
    "shiny": "dull",
    "glossy": "dull",
    "curly": "straight",
    "transparent": "opaque",
    "bald": "hairy",
    "open": "closed",
    "closed": "open",
    "empty": "full",
    "full": "empty",
    "broken": "intact",
    "wet": "dry",
    "dry": "wet",
    "lit": "unlit",
    "unlit": "lit",
    "folded": "unfolded",
    "sliced": "whole",
    "peeled": "unpeeled",
}
SAME: tuple[frozenset[str], ...] = tuple(
    frozenset(words(same))
    for same in (
        "red crimson scarlet maroon burgundy", "grey gray silver silvery", "yellow gold golden amber blonde",
        "purple violet lavender lilac", "white ivory cream", "blue navy indigo", "green olive", "pink magenta",
        "wooden wood bamboo", "metal metallic steel iron brass copper cast-iron", "stone brick marble granite",
        "glass crystal", "cyan turquoise teal", "brown tan beige", "orange ginger",
    )
)  # fmt: skip
SHADES = frozenset(words("light dark bright pale deep vivid pastel neon navy sky hot royal emerald forest mint"))
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
}
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
OF_COUNT: dict[str, int | None] = {
    "a pair of": 2, "pair of": 2, "a couple of": 2, "couple of": 2, "a trio of": 3, "a group of": None,
    "a bunch of": None, "a set of": None, "a lot of": None, "lots of": None, "a number of": None, "a row of": None,
    "a herd of": None, "a flock of": None, "a crowd of": None, "a pile of": None, "a stack of": None,
    "a variety of": None, "groups of": None, "a dozen": 12, "dozens of": None,
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
