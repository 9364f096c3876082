"""Wheats and chaffs of zero_shot_classify: other correct solutions, and known mistakes."""

# %% wheat: normalize_flag
@torch.no_grad()
def zero_shot_classify(model, tokenizer, images, classes, templates):
    tokens = tokenizer([template.replace("{}", name) for name in classes for template in templates])
    texts = model.encode_text(tokens, normalize=True).reshape(len(classes), len(templates), -1).mean(dim=1)
    return (model.encode_image(images, normalize=True) @ F.normalize(texts, dim=-1).T).argmax(dim=1)


# %% wheat: one_image_at_a_time
def zero_shot_classify(model, tokenizer, images, classes, templates):
    with torch.inference_mode():
        means = []
        for name in classes:
            units = [F.normalize(model.encode_text(tokenizer([t.format(name)]))[0], dim=0) for t in templates]
            mean = sum(units)
            means.append(mean / mean.norm())
        return [int((torch.stack(means) @ model.encode_image(image[None])[0]).argmax()) for image in images]


# %% wheat: numpy_and_softmax
def zero_shot_classify(model, tokenizer, images, classes, templates):
    with torch.no_grad():
        I = np.asarray(model.encode_image(images), dtype=float)
        X = np.stack([np.asarray(model.encode_text(tokenizer([t.format(c) for t in templates]))) for c in classes])
    X = X / np.linalg.norm(X, axis=2, keepdims=True)
    K = X.mean(axis=1)
    K /= np.linalg.norm(K, axis=1, keepdims=True)
    I /= np.linalg.norm(I, axis=1, keepdims=True)
    odds = np.exp(100 * I @ K.T)
    return (odds / odds.sum(axis=1, keepdims=True)).argmax(axis=1)


# %% wheat: logits_with_gradients
def zero_shot_classify(model, tokenizer, images, classes, templates):
    X = torch.stack([model.encode_text(tokenizer([t.format(c) for t in templates])) for c in classes])
    texts = F.normalize(F.normalize(X, dim=-1).mean(1), dim=-1)
    logits = model.logit_scale.exp() * F.normalize(model.encode_image(images), dim=-1) @ texts.T
    return logits.argmax(1)


# %% chaff: bare_names
# misconception: class name is enough
# hint: Two different templates give you the same predictions; put the names into the templates.
def zero_shot_classify(model, tokenizer, images, classes, templates):
    with torch.no_grad():
        texts = F.normalize(model.encode_text(tokenizer(list(classes))), dim=-1)
        return (F.normalize(model.encode_image(images), dim=-1) @ texts.T).argmax(dim=1)


# %% chaff: first_template_only
# misconception: one template is enough
# hint: Exchanging two templates changes your predictions; average over all of them.
def zero_shot_classify(model, tokenizer, images, classes, templates):
    with torch.no_grad():
        texts = F.normalize(model.encode_text(tokenizer([templates[0].format(name) for name in classes])), dim=-1)
        return (F.normalize(model.encode_image(images), dim=-1) @ texts.T).argmax(dim=1)


# %% chaff: last_template_only
# misconception: a loop that overwrites is a loop that averages
# hint: Exchanging two templates changes your predictions; only the last one survives your loop.
def zero_shot_classify(model, tokenizer, images, classes, templates):
    with torch.no_grad():
        for template in templates:
            texts = F.normalize(model.encode_text(tokenizer([template.format(name) for name in classes])), dim=-1)
        return (F.normalize(model.encode_image(images), dim=-1) @ texts.T).argmax(dim=1)


# %% chaff: own_classes
# misconception: the classes are always those of this notebook
# hint: Use the classes that are passed in; they may be others, and in another order.
def zero_shot_classify(model, tokenizer, images, classes, templates):
    names = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]
    with torch.no_grad():
        X = torch.stack([model.encode_text(tokenizer([t.format(c) for t in templates])) for c in names])
        texts = F.normalize(F.normalize(X, dim=-1).mean(1), dim=-1)
        return (F.normalize(model.encode_image(images), dim=-1) @ texts.T).argmax(dim=1)


# %% chaff: sorted_classes
# misconception: classes are in alphabetical order
# hint: The index that you return must be the one in the list as it was passed.
def zero_shot_classify(model, tokenizer, images, classes, templates):
    with torch.no_grad():
        X = torch.stack([model.encode_text(tokenizer([t.format(c) for t in templates])) for c in sorted(classes)])
        texts = F.normalize(F.normalize(X, dim=-1).mean(1), dim=-1)
        return (F.normalize(model.encode_image(images), dim=-1) @ texts.T).argmax(dim=1)


# %% chaff: template_major
# misconception: loop order
# hint: Average over the templates of one class; you averaged over the classes of one template.
def zero_shot_classify(model, tokenizer, images, classes, templates):
    with torch.no_grad():
        X = torch.stack([model.encode_text(tokenizer([t.format(c) for c in classes])) for t in templates])
        texts = F.normalize(F.normalize(X, dim=-1).mean(1), dim=-1)
        return (F.normalize(model.encode_image(images), dim=-1) @ texts.T).argmax(dim=1)


# %% chaff: argmin
# misconception: distance thinking
# hint: A larger cosine is a better match.
def zero_shot_classify(model, tokenizer, images, classes, templates):
    with torch.no_grad():
        X = torch.stack([model.encode_text(tokenizer([t.format(c) for t in templates])) for c in classes])
        texts = F.normalize(F.normalize(X, dim=-1).mean(1), dim=-1)
        return (F.normalize(model.encode_image(images), dim=-1) @ texts.T).argmin(dim=1)


# %% chaff: argmax_dim0
# misconception: wrong axis
# hint: One prediction per IMAGE: argmax over classes.
def zero_shot_classify(model, tokenizer, images, classes, templates):
    with torch.no_grad():
        X = torch.stack([model.encode_text(tokenizer([t.format(c) for t in templates])) for c in classes])
        texts = F.normalize(F.normalize(X, dim=-1).mean(1), dim=-1)
        return (F.normalize(model.encode_image(images), dim=-1) @ texts.T).argmax(dim=0)


# %% chaff: softmax_over_images
# misconception: softmax over the batch
# hint: Alone, an image gets another class than among others: softmax runs over classes (dim=-1).
def zero_shot_classify(model, tokenizer, images, classes, templates):
    with torch.no_grad():
        X = torch.stack([model.encode_text(tokenizer([t.format(c) for t in templates])) for c in classes])
        texts = F.normalize(F.normalize(X, dim=-1).mean(1), dim=-1)
        cosines = F.normalize(model.encode_image(images), dim=-1) @ texts.T
        return (100 * cosines).softmax(dim=0).argmax(dim=1)


# %% chaff: names_not_indices
# misconception: a prediction is a name
# hint: Return the index of the class in the list; who calls you has the names.
def zero_shot_classify(model, tokenizer, images, classes, templates):
    with torch.no_grad():
        X = torch.stack([model.encode_text(tokenizer([t.format(c) for t in templates])) for c in classes])
        texts = F.normalize(F.normalize(X, dim=-1).mean(1), dim=-1)
        best = (F.normalize(model.encode_image(images), dim=-1) @ texts.T).argmax(dim=1)
    return [classes[k] for k in best]


# %% chaff: scores
# misconception: max and argmax are the same
# hint: A prediction says WHICH class has the largest cosine, not how large it is.
def zero_shot_classify(model, tokenizer, images, classes, templates):
    with torch.no_grad():
        X = torch.stack([model.encode_text(tokenizer([t.format(c) for t in templates])) for c in classes])
        texts = F.normalize(F.normalize(X, dim=-1).mean(1), dim=-1)
        return (F.normalize(model.encode_image(images), dim=-1) @ texts.T).max(dim=1).values


# %% chaff: most_frequent
# misconception: the most frequent class is a safe guess
# hint: Naming one class for every image looks at no image; it must not count as a classifier.
def zero_shot_classify(model, tokenizer, images, classes, templates):
    return torch.full((len(images),), list(classes).index("bird"))


# %% chaff: blind
# misconception: any answer of the right shape will do
# hint: Your predictions do not depend on the images.
def zero_shot_classify(model, tokenizer, images, classes, templates):
    return torch.randint(len(classes), (len(images),), generator=torch.Generator().manual_seed(1))


# %% chaff: preprocessed_twice
# misconception: pixels must be normalised again
# hint: The images come preprocessed; a second normalization shifts them away from what the model knows.
def zero_shot_classify(model, tokenizer, images, classes, templates):
    images = (images - images.mean()) / images.std() / 4 - 2
    with torch.no_grad():
        X = torch.stack([model.encode_text(tokenizer([t.format(c) for t in templates])) for c in classes])
        texts = F.normalize(F.normalize(X, dim=-1).mean(1), dim=-1)
        return (F.normalize(model.encode_image(images), dim=-1) @ texts.T).argmax(dim=1)


# %% chaff: train_mode
# misconception: forgot that the model is in eval mode for a reason
# hint: In train mode BatchNorm uses the batch's own statistics, so an image's class depends on its neighbors.
def zero_shot_classify(model, tokenizer, images, classes, templates):
    model.train()
    with torch.no_grad():
        X = torch.stack([model.encode_text(tokenizer([t.format(c) for t in templates])) for c in classes])
        texts = F.normalize(F.normalize(X, dim=-1).mean(1), dim=-1)
        found = (F.normalize(model.encode_image(images), dim=-1) @ texts.T).argmax(dim=1)
    model.eval()
    return found
