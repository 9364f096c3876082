# As in the file of assignment 1.

# %% margin mean_of_both
# breaks: exchanging the two captions / worked by hand / signed features
def margin(image, text_a, text_b):
    image, text_a, text_b = (F.normalize(x, dim=0) for x in (image, text_a, text_b))
    return float(image @ text_a + image @ text_b) / 2


# %% margin tanh
# breaks: worked by hand / signed features
def margin(image, text_a, text_b):
    image, text_a, text_b = (F.normalize(x, dim=0) for x in (image, text_a, text_b))
    return math.tanh(float(image @ text_a - image @ text_b))


# %% margin max_norm
# breaks: worked by hand / signed features / longer changes nothing
def margin(image, text_a, text_b):
    image, text_a, text_b = (x / x.abs().max() for x in (image, text_a, text_b))
    return float(image @ text_a - image @ text_b)


# %% pairwise_accuracy first_half
# breaks: three of these four / very different lengths / its own two captions
def pairwise_accuracy(image_features, A, B):
    right = F.cosine_similarity(image_features, A, dim=-1) > F.cosine_similarity(image_features, B, dim=-1)
    return float(right[: len(right) // 2].double().mean())


# %% pairwise_accuracy with_a_tolerance
# breaks: captions that hardly differ / each image looks at the directions
def pairwise_accuracy(image_features, A, B):
    right = F.cosine_similarity(image_features, A, dim=-1) > F.cosine_similarity(image_features, B, dim=-1) + 0.05
    return float(right.double().mean())


# %% margin abs
# twin: abs
def margin(image, text_a, text_b):
    return abs(F.cosine_similarity(image, text_a, dim=0) - F.cosine_similarity(image, text_b, dim=0))


# %% pairwise_accuracy ties_win
# twin: ties_win
def pairwise_accuracy(image_features, A, B):
    ahead = F.cosine_similarity(image_features, A, dim=-1) - F.cosine_similarity(image_features, B, dim=-1)
    return np.mean([value >= 0 for value in ahead.tolist()])
