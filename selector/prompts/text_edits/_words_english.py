"""English words that are never a text without quotes: a text's look or language, and grammar."""

from __future__ import annotations

ASPECTS = (
    r"fonts?|typefaces?|styles?|styled|sizes?|colou?rs?|colou?red|case|caps|capitals?|capitali[sz]ed|numerals?|manner|"
    r"language|script|letters?|lettering|characters?|type|print|format|shape|tone|form(?=\s+of)|way|position|orientation"
)
_LOOKS = (
    r"bold|bolder|italics?|underlined?|strikethrough|cursive|calligraphy|handwrit\w+|hand-?written|uppercase|lowercase|"
    r"upper|lower|bigger|larger|smaller|big|large|small|huge|tiny|thick|thin|tall|wide|taller|wider|thicker|thinner|"
    r"brighter|darker|bright|dark|light|lighter|neon|glowing|glow|shiny|3d|2d|led|hd|transparent|invisible|vertical|"
    r"horizontal|curved|rotated|mirrored|centered|centred|aligned|readable|legible|clear|clearer|blurry|sharp|modern|"
    r"vintage|retro|gothic|graffiti|cartoon|pixel|pixelated|serif|sans|sans-serif|arial|helvetica|times|roman|comic|"
    r"courier|calibri|verdana|georgia|futura|impact|garamond|braille|morse|emojis?|emoticons?|symbols?|icons?|"
    r"pictures?|images?|photos?|photographs?|drawings?|paintings?|illustrations?|logos?|plural|singular|rainbow|"
    r"gradient|metallic|wood|wooden|stone|metal|glass|marble|leather|chrome|fire|ice"
)
_COLOURS = (
    r"red|orange|yellow|green|blue|purple|violet|pink|brown|black|white|gr[ae]y|gold|golden|silver|bronze|cyan|"
    r"magenta|turquoise|teal|navy|crimson|scarlet|beige|maroon|lime|indigo"
)
LANGUAGES = (
    r"english|chinese|mandarin|cantonese|french|german|spanish|italian|japanese|korean|russian|arabic|portuguese|"
    r"hindi|latin|greek|dutch|turkish|thai|vietnamese|polish|swedish|hebrew|pinyin|hiragana|katakana|kanji|cyrillic"
)
FUNCTION = (
    r"(?-i:a)|an|the|and|or|not|no|never|don't|do|to|into|with|by|from|of|in|on|at|for|as|all|every|each|both|any|"
    r"except|but|only|if|so|that|which|where|while|without|it|them|something|anything|nothing|else|other|another|"
    r"different|similar|same|more|less|make|change|replace|remove|delete|add|keep|should|is|are|be|instead"
)
GRAMMAR = rf"{FUNCTION}|text|word|words"
COLOURS_AND_LANGUAGES = rf"{_COLOURS}|{LANGUAGES}"
NOT_BARE = rf"(?:{ASPECTS}|{_LOOKS}|{_COLOURS}|{LANGUAGES}|{GRAMMAR})(?![\w-])"
TEXT_NOUN = (
    r"(?:texts?|words?|wording|numbers?|numerals?|digits?|titles?|subtitles?|phrases?|letters?|lettering|characters?|"
    r"captions?|headings?|subheadings?|headlines?|headers?|footers?|taglines?|slogans?|mottos?|names?|sentences?|"
    r"strings?|lines?|messages?|inscriptions?|writing|handwriting|labels?|tags?|dates?|times?|years?|months?|days?|"
    r"prices?|costs?|amounts?|percentages?|discounts?|scores?|address|brands?|watermarks?|quotes?|quotations?|typos?|"
    r"misspellings?|spelling|terms?|expressions?|descriptions?|usernames?|hashtags?|urls?|websites?|e-?mails?|codes?|"
    r"versions?|signatures?|notes?|statements?|paragraphs?|values?|counts?|quantity|ages?|grades?|"
    r"abbreviations?|acronyms?|initials|greetings?|copyright|credits?|ratings?|speed\s+limit)"
)
BEARER = r"(?:signs?|signboards?|banners?|posters?|billboards?|plates?|logos?|badges?|stickers?|placards?|buttons?)"
PICTURE = r"(?:image|picture|photo|photograph|pic|scene|screenshot|drawing|painting|illustration|frame|canvas)"
BOARD = (
    r"(?:sign|signs|signboard|signage|board|billboard|poster|banner|label|plate|plaque|screen|page|cover|book|logo|"
    r"card|box|bottle|shirt|t-shirt|jersey|window|storefront|store|shop|wall|door|cake|cup|mug|bag|package|packaging|"
    r"blackboard|whiteboard|paper|newspaper|magazine|flyer|leaflet|menu|ticket|header|footer|bubble|document|slide|"
    r"carton|can|jar|tag|badge|sticker|notice|map|form|invoice|receipt|certificate|note|envelope)"
)
