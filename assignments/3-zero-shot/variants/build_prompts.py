"""Wheats and chaffs of build_prompts: other correct solutions, and known mistakes."""

# %% wheat: replace
def build_prompts(classes, templates):
    return [[template.replace("{}", name) for template in templates] for name in classes]


# %% wheat: loops
def build_prompts(classes, templates):
    prompts = []
    for name in classes:
        row = []
        for template in templates:
            before, after = template.split("{}")
            row.append(f"{before}{name}{after}")
        prompts.append(row)
    return prompts


# %% wheat: tuples
def build_prompts(classes, templates):
    return tuple(tuple(map(lambda template: template.format(name), templates)) for name in classes)


# %% wheat: sliced_product
def build_prompts(classes, templates):
    from itertools import product

    flat = [template.format(name) for name, template in product(classes, templates)]
    return [flat[start : start + len(templates)] for start in range(0, len(flat), len(templates))]


# %% chaff: template_major
# misconception: loop order
# hint: Outer list = classes, inner = templates; otherwise the average mixes classes.
def build_prompts(classes, templates):
    return [[template.format(name) for name in classes] for template in templates]


# %% chaff: bare_name
# misconception: class name is enough
# hint: CLIP was trained on captions; put the name into the template.
def build_prompts(classes, templates):
    return [[name for template in templates] for name in classes]


# %% chaff: flat
# misconception: flat list
# hint: Keep one list per class, shape C x T.
def build_prompts(classes, templates):
    return [template.format(name) for name in classes for template in templates]


# %% chaff: literal_braces
# misconception: concatenate
# hint: The '{}' is still in your prompt; use .format(name).
def build_prompts(classes, templates):
    return [[template + " " + name for template in templates] for name in classes]


# %% chaff: rest_is_lost
# misconception: the name always stands at the end
# hint: A template may go on after its {}; what stands behind it belongs to the prompt.
def build_prompts(classes, templates):
    return [[template.split("{}")[0] + name for template in templates] for name in classes]


# %% chaff: corrects_article
# misconception: a prompt must be good English
# hint: Change nothing but the {}: "a photo of a airplane" stays as it is, so that prompts can be compared.
def build_prompts(classes, templates):
    def fill(template, name):
        return template.replace("a {}", "an {}" if name[0].lower() in "aeiou" else "a {}").format(name)

    return [[fill(template, name) for template in templates] for name in classes]


# %% chaff: lowercase
# misconception: the tokenizer lowers the case anyway
# hint: Put the name in as it is; a capital letter is part of it.
def build_prompts(classes, templates):
    return [[template.format(name.lower()) for template in templates] for name in classes]


# %% chaff: first_template_only
# misconception: one template is enough
# hint: With T templates each class has T prompts; one of your rows is shorter.
def build_prompts(classes, templates):
    return [[templates[0].format(name)] for name in classes]


# %% chaff: joined
# misconception: all templates make one long caption
# hint: Each prompt is a caption of its own; keep T strings for each class.
def build_prompts(classes, templates):
    return [[" ".join(template.format(name) for template in templates)] for name in classes]
