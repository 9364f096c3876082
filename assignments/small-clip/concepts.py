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
    if vendor != "fxemoji":
        return drawing
    return FXEMOJI.get(drawing, drawing.replace("-", ""))
