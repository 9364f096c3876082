"""The small world: which drawings are used, what they are called, and in which words.

Drawings are named as Iconify names them (https://icon-sets.iconify.design), the same name in every vendor's set.
A concept carries a label: one of the ten CIFAR-10 classes, or its own name.
"""

# fmt: off
# The ten classes of CIFAR-10, in its order; the drawings that count as each.
CLASSES: dict[str, tuple[str, ...]] = {
    "airplane": ("airplane", "small-airplane", "airplane-departure", "airplane-arrival"),
    "automobile": (
        "automobile", "oncoming-automobile", "taxi", "oncoming-taxi", "sport-utility-vehicle", "racing-car",
        "police-car", "oncoming-police-car",
    ),
    "bird": (
        "bird", "black-bird", "eagle", "owl", "parrot", "duck", "swan", "goose", "dove", "rooster", "chicken", "penguin",
        "baby-chick", "front-facing-baby-chick", "hatching-chick", "flamingo", "turkey", "peacock", "dodo",
    ),
    "cat": (
        "cat", "cat-face", "black-cat", "grinning-cat", "grinning-cat-with-smiling-eyes", "cat-with-tears-of-joy",
        "smiling-cat-with-heart-eyes", "cat-with-wry-smile", "kissing-cat", "weary-cat", "crying-cat", "pouting-cat",
    ),
    "deer": ("deer", "moose"),
    "dog": ("dog", "dog-face", "guide-dog", "service-dog", "poodle"),
    "frog": ("frog",),
    "horse": ("horse", "horse-face", "carousel-horse"),
    "ship": ("ship", "passenger-ship", "ferry", "motor-boat", "speedboat", "sailboat"),
    "truck": ("delivery-truck", "articulated-lorry", "fire-engine", "pickup-truck"),
}

# Everything else that the model has ever seen a drawing of. More concepts made it worse at this size.
OTHERS: tuple[str, ...] = tuple(
    """
    cow cow-face pig pig-face mouse mouse-face rabbit rabbit-face fox bear panda koala lion tiger tiger-face monkey
    monkey-face elephant camel goat wolf snake turtle crocodile fish dolphin whale octopus crab snail butterfly honeybee
    spider lady-beetle unicorn red-apple green-apple banana lemon grapes strawberry cherries pineapple watermelon tomato
    carrot mushroom bread egg hamburger pizza ice-cream doughnut cookie birthday-cake wine-glass hot-beverage bus bicycle
    motorcycle locomotive helicopter rocket tractor anchor tent house castle evergreen-tree deciduous-tree palm-tree
    cactus tulip rose sunflower sun cloud rainbow snowflake snowman umbrella fire droplet crescent-moon star books pencil
    scissors key hammer alarm-clock watch camera television mobile-phone light-bulb candle bed door bell guitar trumpet
    balloon wrapped-gift crown ring glasses top-hat running-shoe t-shirt dress handbag soccer-ball trophy ghost skull
    grinning-face crying-face red-heart raised-hand eye envelope
    """.split()
)

# What people say instead of a drawing's name. The first word is the usual one.
SPOKEN: dict[str, tuple[str, ...]] = {
    "airplane": ("airplane", "plane"),
    "automobile": ("automobile", "car"),
    "ship": ("ship", "boat"),
    "cow-face": ("cow",), "pig-face": ("pig",), "mouse-face": ("mouse",), "rabbit-face": ("rabbit",),
    "tiger-face": ("tiger",), "monkey-face": ("monkey",), "honeybee": ("bee",), "lady-beetle": ("ladybug",),
    "red-apple": ("apple", "red apple"), "green-apple": ("apple", "green apple"), "doughnut": ("donut",),
    "birthday-cake": ("cake",), "wine-glass": ("glass",), "hot-beverage": ("cup",), "locomotive": ("train",),
    "evergreen-tree": ("tree",), "deciduous-tree": ("tree",), "palm-tree": ("palm tree", "tree"),
    "crescent-moon": ("moon",), "alarm-clock": ("clock",), "mobile-phone": ("phone",), "light-bulb": ("lamp",),
    "wrapped-gift": ("gift",), "top-hat": ("hat",), "running-shoe": ("shoe",), "t-shirt": ("shirt",),
    "handbag": ("bag",), "soccer-ball": ("ball",), "grinning-face": ("face", "smile"), "crying-face": ("face",),
    "red-heart": ("heart",), "raised-hand": ("hand",), "books": ("books", "book"), "envelope": ("letter",),
    "sport-utility-vehicle": ("car",), "racing-car": ("racing car",), "police-car": ("police car",),
    "oncoming-automobile": ("car",), "oncoming-taxi": ("taxi",), "oncoming-police-car": ("police car",),
    "small-airplane": ("small airplane",), "airplane-departure": ("plane",), "airplane-arrival": ("plane",),
    "baby-chick": ("chick",), "front-facing-baby-chick": ("chick",), "hatching-chick": ("chick",),
    "black-bird": ("black bird",), "black-cat": ("black cat",), "passenger-ship": ("boat",), "ferry": ("boat",),
    "motor-boat": ("boat",), "speedboat": ("boat",), "sailboat": ("sailboat", "boat"), "delivery-truck": ("lorry",),
    "articulated-lorry": ("lorry",), "fire-engine": ("fire truck",), "pickup-truck": ("pickup truck",),
    "guide-dog": ("dog",), "service-dog": ("dog",), "dog-face": ("dog",), "horse-face": ("horse",),
    "carousel-horse": ("horse",), "ice-cream": ("ice cream",),
}

# Firefox OS Emoji has names of its own. Its cat faces are foxes, so they are left out.
FXEMOJI: dict[str, str] = {
    "cat": "catside", "cat-face": "cat", "dog": "dogside", "dog-face": "dog", "racing-car": "racecar",
    "dove": "doveofpeace", "front-facing-baby-chick": "frontfacingchick", "rabbit": "bunnyside", "rabbit-face": "bunny",
    "mouse": "mouseside", "mouse-face": "mouse", "cow": "", "pig": "pigside", "pig-face": "pig", "tiger": "tigerside",
    "tiger-face": "tiger", "wolf": "wolfface", "panda": "pandaface", "house": "housebuilding",
    "crescent-moon": "crescentmoon", "red-heart": "redheart", "raised-hand": "hand", "locomotive": "steamlocomotive",
    "deciduous-tree": "deciduoustree", "evergreen-tree": "evergreen", "mobile-phone": "cellphone", "sun": "sunrays",
    "t-shirt": "mansshirt", "running-shoe": "mensshoe", "trumpet": "trumpet", "soccer-ball": "soccerball",
    "pizza": "sliceofpizza", "bread": "bread", "hot-beverage": "hotbeverage", "wrapped-gift": "present",
    "grinning-face": "grin", "crying-face": "crying", "ice-cream": "icecream", "bear": "bear", "monkey": "monkey",
    "snowman": "snowmanwithoutsnow", "goat": "goat", "star": "star",
}

# So does Streamline for some; its "turkey" is the country's flag.
STREAMLINE: dict[str, str] = {
    "bird": "bird-1", "black-bird": "bird-2", "penguin": "penguin-1", "hatching-chick": "hatching-chick-1",
    "grinning-cat": "grinning-cat-face", "grinning-cat-with-smiling-eyes": "grinning-cat-face-with-smiling-eyes",
    "cat-with-tears-of-joy": "cat-face-with-tears-of-joy", "cat-with-wry-smile": "cat-face-with-wry-smile",
    "smiling-cat-with-heart-eyes": "smiling-cat-face-with-heart-eyes", "kissing-cat": "kissing-cat-face",
    "weary-cat": "weary-cat-face", "crying-cat": "crying-cat-face", "pouting-cat": "pouting-cat-face",
    "frog": "frog-face", "fox": "fox-face-1", "bear": "bear-face", "panda": "panda-face", "lion": "lion-face",
    "wolf": "wolf-face", "unicorn": "unicorn-face", "fish": "tropical-fish", "whale": "spouting-whale",
    "strawberry": "strawberry-1", "watermelon": "watermelon-1", "hamburger": "hamburger-1", "pizza": "pizza-1",
    "ice-cream": "shaved-ice", "doughnut": "doughnut-1", "birthday-cake": "birthday-cake-1", "cactus": "cactus-1",
    "hot-beverage": "hot-beverage-1", "sunflower": "sunflower-1", "cloud": "cloud-1", "wrapped-gift": "wrapped-gift-1",
    "ring": "ring-1", "glasses": "glasses-1", "red-heart": "heart-suit", "raised-hand": "raised-hand-1",
    "turkey": "",
}

# One-colour icons of the ten classes, for lines and silhouettes: emoji alone leave clip art too strange.
GLYPHS: dict[str, dict[str, str]] = {
    "game-icons": {
        "airplane": "airplane airplane-arrival airplane-departure commercial-airplane jet-fighter",
        "automobile": "city-car f1-car police-car race-car",
        "bird": "barn-owl canadian-goose chicken crow-dive dove duck eagle-head flamingo freedom-dove goose kiwi-bird owl "
                "parrot-head peace-dove penguin rooster swan",
        "cat": "cat hollow-cat", "deer": "deer deer-head stag-head", "frog": "frog", "horse": "horse-head",
        "dog": "jumping-dog sitting-dog sniffing-dog labrador-head", "truck": "truck tow-truck food-truck",
        "ship": "cargo-ship fishing-boat sailboat shooner-sailboat small-fishing-sailboat speed-boat",
    },
    "mdi": {
        "airplane": "airplane airplane-landing airplane-takeoff", "bird": "bird duck owl penguin turkey", "cat": "cat",
        "automobile": "car car-side car-hatchback car-estate car-sports car-convertible taxi",
        "dog": "dog dog-side dog-service", "horse": "horse horse-variant horse-variant-fast", "ship": "ferry sail-boat",
        "truck": "truck dump-truck fire-truck tanker-truck tow-truck truck-trailer car-pickup",
    },
    "fa6-solid": {
        "airplane": "plane plane-departure plane-arrival jet-fighter", "automobile": "car car-side car-rear taxi",
        "bird": "crow dove kiwi-bird", "cat": "cat", "dog": "dog", "frog": "frog", "horse": "horse horse-head",
        "ship": "ferry sailboat ship", "truck": "truck truck-moving truck-pickup truck-front",
    },
    "icon-park": {
        "airplane": "airplane", "automobile": "car taxi", "bird": "bird chicken duck eagle owl turkey", "cat": "cat",
        "deer": "deer", "dog": "dog", "frog": "frog", "ship": "sailboat ship", "truck": "truck",
    },
    "tabler": {
        "airplane": "plane plane-tilt", "automobile": "car car-suv", "cat": "cat", "deer": "deer", "dog": "dog",
        "horse": "horse", "ship": "ship sailboat speedboat", "truck": "truck truck-delivery",
    },
}
# fmt: on

LABEL: dict[str, str] = {drawing: name for name, drawings in CLASSES.items() for drawing in drawings} | {
    drawing: SPOKEN.get(drawing, (drawing,))[0].replace("-", " ") for drawing in OTHERS
}
DRAWINGS: tuple[str, ...] = tuple(LABEL)


def spoken(drawing: str) -> tuple[str, ...]:
    """Words for one drawing, the usual one first."""
    return SPOKEN.get(drawing, (drawing.replace("-", " "),))


def vendor_name(vendor: str, drawing: str) -> str:
    """The drawing's name in one vendor's set; empty where the vendor has none that means the same."""
    if vendor == "fxemoji":
        return FXEMOJI.get(drawing, drawing.replace("-", ""))
    return STREAMLINE.get(drawing, drawing) if vendor == "streamline-emojis" else drawing


def drawn_by(vendor: str) -> list[tuple[str, str]]:
    """What to render of one vendor's set: (the drawing's or, for one-colour icons, the class's name; icon's name)."""
    if vendor in GLYPHS:
        return [(label, icon) for label, icons in GLYPHS[vendor].items() for icon in icons.split()]
    return [(drawing, vendor_name(vendor, drawing)) for drawing in DRAWINGS]
