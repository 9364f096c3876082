"""Wheats and chaffs of margin: other correct solutions, and known mistakes."""


# %% wheat: normalise_dot
def margin(image, text_a, text_b):
    image, text_a, text_b = image / image.norm(), text_a / text_a.norm(), text_b / text_b.norm()
    return image @ text_a - image @ text_b


# %% wheat: numpy
def margin(image, text_a, text_b):
    image, text_a, text_b = image.numpy(), text_a.numpy(), text_b.numpy()
    length = np.linalg.norm
    return image @ text_a / length(image) / length(text_a) - image @ text_b / length(image) / length(text_b)


# %% wheat: cosine_similarity
def margin(image, text_a, text_b):
    return torch.cosine_similarity(image, text_a, dim=0) - torch.cosine_similarity(image, text_b, dim=0)


# %% wheat: plain_python
def margin(image, text_a, text_b):
    def cosine(x, y):
        x, y = x.tolist(), y.tolist()
        dot = sum(p * q for p, q in zip(x, y))
        return dot / math.sqrt(sum(p * p for p in x) * sum(q * q for q in y))

    return cosine(image, text_a) - cosine(image, text_b)


# %% wheat: difference_of_unit_captions
def margin(image, text_a, text_b):
    gap = text_a / text_a.norm() - text_b / text_b.norm()
    return ((image @ gap) / image.norm()).item()


# %% wheat: float32
def margin(image, text_a, text_b):
    unit = [x.float() / x.float().norm() for x in (image, text_a, text_b)]
    return unit[0].dot(unit[1]) - unit[0].dot(unit[2])


# %% wheat: one_matrix
def margin(image, text_a, text_b):
    rows = torch.nn.functional.normalize(torch.stack([image, text_a, text_b]), dim=1)
    S = rows @ rows.T
    return S[0, 1] - S[0, 2]


# %% chaff: no_norm
# misconception: dot = cosine
# hint: A longer prompt vector would win; normalize.
def margin(image, text_a, text_b):
    return float(image @ text_a - image @ text_b)


# %% chaff: sign
# misconception: order
# hint: Positive must mean 'prefers the first text'.
def margin(image, text_a, text_b):
    image, text_a, text_b = image / image.norm(), text_a / text_a.norm(), text_b / text_b.norm()
    return float(image @ text_b - image @ text_a)


# %% chaff: abs
# misconception: size only
# hint: Keep the sign: it says which caption won.
def margin(image, text_a, text_b):
    image, text_a, text_b = image / image.norm(), text_a / text_a.norm(), text_b / text_b.norm()
    return float((image @ text_a - image @ text_b).abs())


# %% chaff: norm_difference
# misconception: normalize the difference
# hint: cos(image, a - b) hides how SMALL the difference is; subtract two cosines.
def margin(image, text_a, text_b):
    gap = text_a / text_a.norm() - text_b / text_b.norm()
    return float(image @ gap / (image.norm() * gap.norm()))


# %% chaff: raw_difference
# misconception: the cosine with a - b is the difference of the cosines
# hint: Give each caption its own length first; a - b of raw vectors is mostly the longer one.
def margin(image, text_a, text_b):
    return float(torch.cosine_similarity(image, text_a - text_b, dim=0))


# %% chaff: captions_only
# misconception: the image's length does not matter
# hint: It does not change who wins, but it changes the number: multiply the image by 10 and look.
def margin(image, text_a, text_b):
    return float(image @ (text_a / text_a.norm()) - image @ (text_b / text_b.norm()))


# %% chaff: image_only
# misconception: normalizing the image is enough
# hint: A longer prompt vector would win; the captions need unit length too.
def margin(image, text_a, text_b):
    image = image / image.norm()
    return float(image @ text_a - image @ text_b)


# %% chaff: first_only
# misconception: the margin is the similarity
# hint: With the same caption twice nothing is preferred; your number is not 0 then. Subtract the other cosine.
def margin(image, text_a, text_b):
    return float(torch.cosine_similarity(image, text_a, dim=0))


# %% chaff: l1_norm
# misconception: any norm will do
# hint: A cosine uses the Euclidean (L2) length; check that a vector has cosine 1 with itself.
def margin(image, text_a, text_b):
    unit = [torch.nn.functional.normalize(x, p=1, dim=0) for x in (image, text_a, text_b)]
    return float(unit[0] @ unit[1] - unit[0] @ unit[2])


# %% chaff: squared_norm
# misconception: dividing by x.x gives a unit vector
# hint: x.x is the length squared; its square root is missing.
def margin(image, text_a, text_b):
    unit = [x / (x @ x) for x in (image, text_a, text_b)]
    return float(unit[0] @ unit[1] - unit[0] @ unit[2])


# %% chaff: winner
# misconception: who wins is all that counts
# hint: You return 1 or -1. How clearly the caption wins is lost.
def margin(image, text_a, text_b):
    gap = torch.cosine_similarity(image, text_a, dim=0) - torch.cosine_similarity(image, text_b, dim=0)
    return float(gap.sign())


# %% chaff: winner_bool
# misconception: a preference is a yes or no
# hint: Return by how much the image is nearer to the first caption, not whether it is.
def margin(image, text_a, text_b):
    return bool(torch.cosine_similarity(image, text_a, dim=0) > torch.cosine_similarity(image, text_b, dim=0))


# %% chaff: probabilities
# misconception: similarities are probabilities
# hint: The softmax of the two cosines is a share; the margin is the difference of the cosines themselves.
def margin(image, text_a, text_b):
    pair = torch.stack([torch.cosine_similarity(image, x, dim=0) for x in (text_a, text_b)]).softmax(dim=0)
    return float(pair[0] - pair[1])


# %% chaff: scaled
# misconception: logits = similarities
# hint: These are logits; leave out exp(tau) and subtract the bare cosines.
def margin(image, text_a, text_b):
    gap = torch.cosine_similarity(image, text_a, dim=0) - torch.cosine_similarity(image, text_b, dim=0)
    return float(100 * gap)


# %% chaff: ratio
# misconception: comparing = dividing
# hint: Cosines can be 0 or negative, so a ratio has no meaning; subtract.
def margin(image, text_a, text_b):
    return float(torch.cosine_similarity(image, text_a, dim=0) / torch.cosine_similarity(image, text_b, dim=0))


# %% chaff: clamped
# misconception: a similarity cannot be negative
# hint: A caption can point away from the image; keep negative cosines.
def margin(image, text_a, text_b):
    a, b = (torch.cosine_similarity(image, x, dim=0).clamp(min=0) for x in (text_a, text_b))
    return float(a - b)


# %% chaff: distances
# misconception: distance = similarity
# hint: A distance is small where a similarity is large, and it is not 1 minus the cosine; use cosines.
def margin(image, text_a, text_b):
    unit = [x / x.norm() for x in (image, text_a, text_b)]
    return float((unit[0] - unit[2]).norm() - (unit[0] - unit[1]).norm())


# %% chaff: centered
# misconception: cosine similarity = correlation
# hint: You subtract the mean of each vector first; a cosine measures angles from the origin.
def margin(image, text_a, text_b):
    unit = [torch.nn.functional.normalize(x - x.mean(), dim=0) for x in (image, text_a, text_b)]
    return float(unit[0] @ unit[1] - unit[0] @ unit[2])


# %% chaff: rounded
# misconception: two digits are enough
# hint: Captions that hardly differ have margins of a few thousandths; do not round.
def margin(image, text_a, text_b):
    a, b = (round(float(torch.cosine_similarity(image, x, dim=0)), 2) for x in (text_a, text_b))
    return a - b


# %% chaff: in_place
# misconception: x /= n is harmless
# hint: You changed the caller's tensors; use x = x / n instead of x /= n.
def margin(image, text_a, text_b):
    image /= image.norm()
    text_a /= text_a.norm()
    text_b /= text_b.norm()
    return float(image @ text_a - image @ text_b)


# %% chaff: printed
# misconception: print = return
# hint: The number is shown but not handed back; return it.
def margin(image, text_a, text_b):
    print(float(torch.cosine_similarity(image, text_a, dim=0) - torch.cosine_similarity(image, text_b, dim=0)))
