"""Wheats and chaffs of cosine_similarity_matrix: other correct solutions, and known mistakes."""


# %% wheat: einsum
def cosine_similarity_matrix(image_features, text_features):
    images = F.normalize(image_features, dim=-1)
    texts = F.normalize(text_features, dim=-1)
    return torch.einsum("nd,md->nm", images, texts)


# %% wheat: F_cosine_broadcast
def cosine_similarity_matrix(image_features, text_features):
    return F.cosine_similarity(image_features[:, None, :], text_features[None, :, :], dim=-1)


# %% wheat: loops
def cosine_similarity_matrix(image_features, text_features):
    S = torch.zeros(len(image_features), len(text_features), dtype=image_features.dtype)
    for i, image in enumerate(image_features):
        for j, text in enumerate(text_features):
            S[i, j] = image.dot(text) / (image.norm() * text.norm())
    return S


# %% wheat: numpy
def cosine_similarity_matrix(image_features, text_features):
    images, texts = image_features.numpy(), text_features.numpy()
    lengths = np.outer(np.linalg.norm(images, axis=1), np.linalg.norm(texts, axis=1))
    return images @ texts.T / lengths


# %% wheat: dots_over_lengths
def cosine_similarity_matrix(image_features, text_features):
    dots = image_features @ text_features.T
    return dots / image_features.norm(dim=1)[:, None] / text_features.norm(dim=1)[None, :]


# %% wheat: float32
def cosine_similarity_matrix(image_features, text_features):
    images, texts = image_features.float(), text_features.float()
    return F.normalize(images, dim=1) @ F.normalize(texts, dim=1).T


# %% wheat: nested_lists
def cosine_similarity_matrix(image_features, text_features):
    def cosine(a, b):
        return sum(x * y for x, y in zip(a, b)) / math.sqrt(sum(x * x for x in a) * sum(y * y for y in b))

    return [[cosine(image, text) for text in text_features.tolist()] for image in image_features.tolist()]


# %% chaff: no_norm
# misconception: dot product = cosine similarity
# hint: Your entries are not all in [-1, 1]; what must be true of two vectors before their dot product is a cosine?
def cosine_similarity_matrix(image_features, text_features):
    return image_features @ text_features.T


# %% chaff: norm_dim0
# misconception: normalize each feature over the batch
# hint: Check x.norm(dim=-1) after normalizing: is each ROW (one image) of length 1, or each column?
def cosine_similarity_matrix(image_features, text_features):
    images = image_features / image_features.norm(dim=0, keepdim=True)
    texts = text_features / text_features.norm(dim=0, keepdim=True)
    return images @ texts.T


# %% chaff: one_side
# misconception: normalizing images is enough
# hint: Multiply the text features by 10: your matrix changes, a cosine would not.
def cosine_similarity_matrix(image_features, text_features):
    images = image_features / image_features.norm(dim=-1, keepdim=True)
    return images @ text_features.T


# %% chaff: other_side
# misconception: normalizing texts is enough
# hint: Multiply the image features by 10: your matrix changes, a cosine would not.
def cosine_similarity_matrix(image_features, text_features):
    texts = text_features / text_features.norm(dim=-1, keepdim=True)
    return image_features @ texts.T


# %% chaff: l1_norm
# misconception: any norm will do
# hint: Cosine uses the Euclidean (L2) length; check that the cosine of a vector with itself is 1.
def cosine_similarity_matrix(image_features, text_features):
    images = F.normalize(image_features, p=1, dim=-1)
    texts = F.normalize(text_features, p=1, dim=-1)
    return images @ texts.T


# %% chaff: transposed
# misconception: row/column convention
# hint: Row i must be image i: with 3 images and 5 texts the shape is (3, 5).
def cosine_similarity_matrix(image_features, text_features):
    images = F.normalize(image_features, dim=-1)
    texts = F.normalize(text_features, dim=-1)
    return texts @ images.T


# %% chaff: times_100
# misconception: copied '100. *' from the CLIP README
# hint: These are logits already; return the bare cosines here, exp(tau) comes later.
def cosine_similarity_matrix(image_features, text_features):
    images = F.normalize(image_features, dim=-1)
    texts = F.normalize(text_features, dim=-1)
    return 100.0 * images @ texts.T


# %% chaff: softmaxed
# misconception: similarities are probabilities
# hint: Your rows sum to 1; cosines do not. (This matrix looks like attention weights, but is used differently.)
def cosine_similarity_matrix(image_features, text_features):
    images = F.normalize(image_features, dim=-1)
    texts = F.normalize(text_features, dim=-1)
    return (images @ texts.T).softmax(dim=-1)


# %% chaff: in_place
# misconception: x /= n is harmless
# hint: You changed the caller's tensors: write x = x / n, not x /= n, also for what .numpy() returns, which shares their memory.
def cosine_similarity_matrix(image_features, text_features):
    image_features /= image_features.norm(dim=-1, keepdim=True)
    text_features /= text_features.norm(dim=-1, keepdim=True)
    return image_features @ text_features.T


# %% chaff: squared_norm
# misconception: dividing by x.x gives a unit vector
# hint: After dividing, is each row of length 1? x.x is the length squared; its square root is missing.
def cosine_similarity_matrix(image_features, text_features):
    images = image_features / (image_features**2).sum(dim=-1, keepdim=True)
    texts = text_features / (text_features**2).sum(dim=-1, keepdim=True)
    return images @ texts.T


# %% chaff: whole_matrix_norm
# misconception: x.norm() gives one length per row
# hint: x.norm() without a dim is a single number for the whole tensor; each row needs its own length.
def cosine_similarity_matrix(image_features, text_features):
    return (image_features / image_features.norm()) @ (text_features / text_features.norm()).T


# %% chaff: centered
# misconception: cosine similarity = correlation
# hint: You subtract the mean of each row first; that is a correlation. A cosine measures angles from the origin.
def cosine_similarity_matrix(image_features, text_features):
    images = image_features - image_features.mean(dim=-1, keepdim=True)
    texts = text_features - text_features.mean(dim=-1, keepdim=True)
    return F.normalize(images, dim=-1) @ F.normalize(texts, dim=-1).T


# %% chaff: clamped
# misconception: a similarity cannot be negative
# hint: Two vectors that point in opposite directions have cosine -1; keep the negative entries.
def cosine_similarity_matrix(image_features, text_features):
    images = F.normalize(image_features, dim=-1)
    texts = F.normalize(text_features, dim=-1)
    return (images @ texts.T).clamp(min=0)


# %% chaff: distance
# misconception: cosine distance = cosine similarity
# hint: A vector and itself should have 1, not 0: you return 1 minus the cosine.
def cosine_similarity_matrix(image_features, text_features):
    images = F.normalize(image_features, dim=-1)
    texts = F.normalize(text_features, dim=-1)
    return 1 - images @ texts.T


# %% chaff: numpy_in_place
# misconception: .numpy() makes a copy
# hint: You changed the caller's tensors: write x = x / n, not x /= n, also for what .numpy() returns, which shares their memory.
def cosine_similarity_matrix(image_features, text_features):
    images, texts = image_features.numpy(), text_features.numpy()
    images /= np.linalg.norm(images, axis=1, keepdims=True)
    texts /= np.linalg.norm(texts, axis=1, keepdims=True)
    return images @ texts.T
