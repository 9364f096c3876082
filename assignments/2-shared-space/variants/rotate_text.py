"""Wheats and chaffs of rotate_text: other correct solutions, and known mistakes."""


# %% wheat: einsum
def rotate_text(image_features, text_features, Q):
    images = F.normalize(image_features, dim=-1)
    texts = F.normalize(text_features, dim=-1)
    turned = torch.einsum("nd,de->ne", texts, Q)
    turned = F.normalize(turned, dim=-1)
    own = torch.arange(len(images))

    def gram(x):
        return torch.einsum("nd,md->nm", x, x)

    return {
        "text_gram_change": (gram(turned) - gram(texts)).abs().max(),
        "top1_before": (torch.einsum("nd,md->nm", images, texts).argmax(1) == own).double().mean(),
        "top1_after": (torch.einsum("nd,md->nm", images, turned).argmax(1) == own).double().mean(),
    }


# %% wheat: python_floats
def rotate_text(image_features, text_features, Q):
    def cosine(a, b):
        return sum(x * y for x, y in zip(a, b)) / (math.hypot(*a) * math.hypot(*b))

    def top1(images, texts):
        hits = 0
        for i, image in enumerate(images):
            scores = [cosine(image, text) for text in texts]
            hits += scores.index(max(scores)) == i
        return hits / len(images)

    images, texts = image_features.tolist(), text_features.tolist()
    turned = (text_features @ Q).tolist()
    change = max(abs(cosine(a, b) - cosine(c, d)) for a, c in zip(texts, turned) for b, d in zip(texts, turned))
    return {"text_gram_change": change, "top1_before": top1(images, texts), "top1_after": top1(images, turned)}


# %% wheat: transpose
# Q.T turns back instead of forward.
def rotate_text(image_features, text_features, Q):
    images, texts = F.normalize(image_features, dim=-1), F.normalize(text_features, dim=-1)
    turned = F.normalize(text_features @ Q.T, dim=-1)
    own = torch.arange(len(images))
    return {
        "text_gram_change": (turned @ turned.T - texts @ texts.T).abs().max().item(),
        "top1_before": ((images @ texts.T).argmax(dim=1) == own).float().mean().item(),
        "top1_after": ((images @ turned.T).argmax(dim=1) == own).float().mean().item(),
    }


# %% wheat: numpy
def rotate_text(image_features, text_features, Q):
    images, texts, Q = image_features.numpy(), text_features.numpy(), Q.numpy()

    def unit(x):
        return x / np.linalg.norm(x, axis=1, keepdims=True)

    def top1(t):
        return np.mean(np.argmax(unit(images) @ unit(t).T, axis=1) == np.arange(len(images)))

    def gram(t):
        return unit(t) @ unit(t).T

    turned = texts @ Q
    return dict(
        top1_before=top1(texts), top1_after=top1(turned), text_gram_change=np.abs(gram(turned) - gram(texts)).max()
    )


# %% wheat: columns
# Vectors as columns: Q in front.
def rotate_text(image_features, text_features, Q):
    turned = (Q @ text_features.T).T

    def cosines(a, b):
        return F.cosine_similarity(a[:, None], b[None], dim=-1)

    own = torch.arange(len(image_features))
    return {
        "text_gram_change": (cosines(turned, turned) - cosines(text_features, text_features)).abs().max(),
        "top1_before": (cosines(image_features, text_features).argmax(1) == own).sum() / len(own),
        "top1_after": (cosines(image_features, turned).argmax(1) == own).sum() / len(own),
    }


# %% wheat: images_as_they_are
# The length of an image multiplies its whole row, so it does not change the row's largest entry.
def rotate_text(image_features, text_features, Q):
    texts = F.normalize(text_features, dim=-1)
    turned = F.normalize(texts @ Q, dim=-1)
    own = torch.arange(len(texts))
    return {
        "text_gram_change": float((turned @ turned.T - texts @ texts.T).abs().max()),
        "top1_before": float(((image_features @ texts.T).argmax(dim=1) == own).double().mean()),
        "top1_after": float(((image_features @ turned.T).argmax(dim=1) == own).double().mean()),
    }


# %% wheat: float32
def rotate_text(image_features, text_features, Q):
    images, texts = F.normalize(image_features.float(), dim=-1), F.normalize(text_features.float(), dim=-1)
    turned = F.normalize(texts @ Q.float(), dim=-1)
    own = torch.arange(len(images))
    return {
        "text_gram_change": float((turned @ turned.T - texts @ texts.T).abs().max()),
        "top1_before": int(((images @ texts.T).argmax(dim=1) == own).sum()) / len(own),
        "top1_after": int(((images @ turned.T).argmax(dim=1) == own).sum()) / len(own),
    }


# %% chaff: rotate_both
# misconception: a rotation is harmless
# hint: You rotated both spaces, so they stayed aligned; rotate only the texts.
def rotate_text(image_features, text_features, Q):
    images, texts = F.normalize(image_features, dim=-1), F.normalize(text_features, dim=-1)
    turned_images, turned = F.normalize(image_features @ Q, dim=-1), F.normalize(text_features @ Q, dim=-1)
    own = torch.arange(len(images))
    return {
        "text_gram_change": float((turned @ turned.T - texts @ texts.T).abs().max()),
        "top1_before": float(((images @ texts.T).argmax(dim=1) == own).double().mean()),
        "top1_after": float(((turned_images @ turned.T).argmax(dim=1) == own).double().mean()),
    }


# %% chaff: permute_rows
# misconception: shuffling captions = rotating space
# hint: Shuffling changes WHICH caption is in row i; rotating changes the coordinates.
def rotate_text(image_features, text_features, Q):
    images, texts = F.normalize(image_features, dim=-1), F.normalize(text_features, dim=-1)
    turned = texts[torch.randperm(len(texts), generator=torch.Generator().manual_seed(1))]
    own = torch.arange(len(images))
    return {
        "text_gram_change": float((turned @ turned.T - texts @ texts.T).abs().max()),
        "top1_before": float(((images @ texts.T).argmax(dim=1) == own).double().mean()),
        "top1_after": float(((images @ turned.T).argmax(dim=1) == own).double().mean()),
    }


# %% chaff: permute_coordinates
# misconception: any rotation will do
# hint: Rolling the coordinates is a rotation, but not the one that you are given; use Q.
def rotate_text(image_features, text_features, Q):
    images, texts = F.normalize(image_features, dim=-1), F.normalize(text_features, dim=-1)
    turned = texts.roll(1, dims=1)
    own = torch.arange(len(images))
    return {
        "text_gram_change": float((turned @ turned.T - texts @ texts.T).abs().max()),
        "top1_before": float(((images @ texts.T).argmax(dim=1) == own).double().mean()),
        "top1_after": float(((images @ turned.T).argmax(dim=1) == own).double().mean()),
    }


# %% chaff: non_orthogonal
# misconception: any random matrix
# hint: The text-text similarities changed; an orthogonal Q keeps them all.
def rotate_text(image_features, text_features, Q):
    images, texts = F.normalize(image_features, dim=-1), F.normalize(text_features, dim=-1)
    turned = F.normalize(text_features @ torch.randn(*Q.shape, dtype=Q.dtype, generator=torch.Generator().manual_seed(1)), dim=-1)
    own = torch.arange(len(images))
    return {
        "text_gram_change": float((turned @ turned.T - texts @ texts.T).abs().max()),
        "top1_before": float(((images @ texts.T).argmax(dim=1) == own).double().mean()),
        "top1_after": float(((images @ turned.T).argmax(dim=1) == own).double().mean()),
    }


# %% chaff: percent
# misconception: percent
# hint: Return fractions in [0, 1].
def rotate_text(image_features, text_features, Q):
    images, texts = F.normalize(image_features, dim=-1), F.normalize(text_features, dim=-1)
    turned = F.normalize(text_features @ Q, dim=-1)
    own = torch.arange(len(images))
    return {
        "text_gram_change": float((turned @ turned.T - texts @ texts.T).abs().max()),
        "top1_before": 100 * float(((images @ texts.T).argmax(dim=1) == own).double().mean()),
        "top1_after": 100 * float(((images @ turned.T).argmax(dim=1) == own).double().mean()),
    }


# %% chaff: count
# misconception: count not fraction
# hint: Divide by the number of images.
def rotate_text(image_features, text_features, Q):
    images, texts = F.normalize(image_features, dim=-1), F.normalize(text_features, dim=-1)
    turned = F.normalize(text_features @ Q, dim=-1)
    own = torch.arange(len(images))
    return {
        "text_gram_change": float((turned @ turned.T - texts @ texts.T).abs().max()),
        "top1_before": int(((images @ texts.T).argmax(dim=1) == own).sum()),
        "top1_after": int(((images @ turned.T).argmax(dim=1) == own).sum()),
    }


# %% chaff: measures_before_twice
# misconception: rotated copy never used
# hint: top1_after must use the rotated texts.
def rotate_text(image_features, text_features, Q):
    images, texts = F.normalize(image_features, dim=-1), F.normalize(text_features, dim=-1)
    turned = F.normalize(text_features @ Q, dim=-1)
    own = torch.arange(len(images))
    return {
        "text_gram_change": float((turned @ turned.T - texts @ texts.T).abs().max()),
        "top1_before": float(((images @ texts.T).argmax(dim=1) == own).double().mean()),
        "top1_after": float(((images @ texts.T).argmax(dim=1) == own).double().mean()),
    }


# %% chaff: gram_asserted
# misconception: what theory says need not be measured
# hint: Your text_gram_change is 0 whatever Q is; measure it, so that a matrix that is no rotation shows.
def rotate_text(image_features, text_features, Q):
    images, texts = F.normalize(image_features, dim=-1), F.normalize(text_features, dim=-1)
    turned = F.normalize(text_features @ Q, dim=-1)
    own = torch.arange(len(images))
    return {
        "text_gram_change": 0.0,
        "top1_before": float(((images @ texts.T).argmax(dim=1) == own).double().mean()),
        "top1_after": float(((images @ turned.T).argmax(dim=1) == own).double().mean()),
    }


# %% chaff: gram_not_normalized
# misconception: dot product = cosine similarity
# hint: The change is asked for in the cosines of the texts; their rows are of any length.
def rotate_text(image_features, text_features, Q):
    images, texts = F.normalize(image_features, dim=-1), F.normalize(text_features, dim=-1)
    turned = text_features @ Q
    own = torch.arange(len(images))
    return {
        "text_gram_change": float((turned @ turned.T - text_features @ text_features.T).abs().max()),
        "top1_before": float(((images @ texts.T).argmax(dim=1) == own).double().mean()),
        "top1_after": float(((images @ F.normalize(turned, dim=-1).T).argmax(dim=1) == own).double().mean()),
    }


# %% chaff: gram_mean
# misconception: mean change
# hint: The largest absolute difference is asked for; the mean can hide one pair that moved far.
def rotate_text(image_features, text_features, Q):
    images, texts = F.normalize(image_features, dim=-1), F.normalize(text_features, dim=-1)
    turned = F.normalize(text_features @ Q, dim=-1)
    own = torch.arange(len(images))
    return {
        "text_gram_change": float((turned @ turned.T - texts @ texts.T).abs().mean()),
        "top1_before": float(((images @ texts.T).argmax(dim=1) == own).double().mean()),
        "top1_after": float(((images @ turned.T).argmax(dim=1) == own).double().mean()),
    }


# %% chaff: gram_signed
# misconception: a change is always upward
# hint: A cosine can fall, too; take absolute values before the maximum.
def rotate_text(image_features, text_features, Q):
    images, texts = F.normalize(image_features, dim=-1), F.normalize(text_features, dim=-1)
    turned = F.normalize(text_features @ Q, dim=-1)
    own = torch.arange(len(images))
    return {
        "text_gram_change": float((turned @ turned.T - texts @ texts.T).max()),
        "top1_before": float(((images @ texts.T).argmax(dim=1) == own).double().mean()),
        "top1_after": float(((images @ turned.T).argmax(dim=1) == own).double().mean()),
    }


# %% chaff: gram_with_images
# misconception: the Gram matrix is the image-text matrix
# hint: text_gram_change compares texts with texts; you compare images with texts.
def rotate_text(image_features, text_features, Q):
    images, texts = F.normalize(image_features, dim=-1), F.normalize(text_features, dim=-1)
    turned = F.normalize(text_features @ Q, dim=-1)
    own = torch.arange(len(images))
    return {
        "text_gram_change": float((images @ turned.T - images @ texts.T).abs().max()),
        "top1_before": float(((images @ texts.T).argmax(dim=1) == own).double().mean()),
        "top1_after": float(((images @ turned.T).argmax(dim=1) == own).double().mean()),
    }


# %% chaff: gram_of_coordinates
# misconception: T^T T is the matrix of text-text cosines
# hint: texts.T @ texts is (D, D), coordinates with coordinates; texts @ texts.T is (N, N), texts with texts.
def rotate_text(image_features, text_features, Q):
    images, texts = F.normalize(image_features, dim=-1), F.normalize(text_features, dim=-1)
    turned = F.normalize(text_features @ Q, dim=-1)
    own = torch.arange(len(images))
    return {
        "text_gram_change": float((turned.T @ turned - texts.T @ texts).abs().max()),
        "top1_before": float(((images @ texts.T).argmax(dim=1) == own).double().mean()),
        "top1_after": float(((images @ turned.T).argmax(dim=1) == own).double().mean()),
    }


# %% chaff: compares_vectors
# misconception: the texts moved, so their similarities did
# hint: You compare the texts themselves before and after; compare their cosines with each other.
def rotate_text(image_features, text_features, Q):
    images, texts = F.normalize(image_features, dim=-1), F.normalize(text_features, dim=-1)
    turned = F.normalize(text_features @ Q, dim=-1)
    own = torch.arange(len(images))
    return {
        "text_gram_change": float((turned - texts).abs().max()),
        "top1_before": float(((images @ texts.T).argmax(dim=1) == own).double().mean()),
        "top1_after": float(((images @ turned.T).argmax(dim=1) == own).double().mean()),
    }


# %% chaff: no_text_norm
# misconception: dot = cosine
# hint: A long text vector wins every row; normalize the texts.
def rotate_text(image_features, text_features, Q):
    texts = F.normalize(text_features, dim=-1)
    turned = F.normalize(text_features @ Q, dim=-1)
    own = torch.arange(len(image_features))
    return {
        "text_gram_change": float((turned @ turned.T - texts @ texts.T).abs().max()),
        "top1_before": float(((image_features @ text_features.T).argmax(dim=1) == own).double().mean()),
        "top1_after": float(((image_features @ (text_features @ Q).T).argmax(dim=1) == own).double().mean()),
    }


# %% chaff: argmax_dim0
# misconception: texts choose images
# hint: Each image chooses among the texts: argmax along the texts, dim=1.
def rotate_text(image_features, text_features, Q):
    images, texts = F.normalize(image_features, dim=-1), F.normalize(text_features, dim=-1)
    turned = F.normalize(text_features @ Q, dim=-1)
    own = torch.arange(len(images))
    return {
        "text_gram_change": float((turned @ turned.T - texts @ texts.T).abs().max()),
        "top1_before": float(((images @ texts.T).argmax(dim=0) == own).double().mean()),
        "top1_after": float(((images @ turned.T).argmax(dim=0) == own).double().mean()),
    }


# %% chaff: swapped
# misconception: before and after exchanged
# hint: top1_before belongs to the texts as you get them, top1_after to the turned ones.
def rotate_text(image_features, text_features, Q):
    images, texts = F.normalize(image_features, dim=-1), F.normalize(text_features, dim=-1)
    turned = F.normalize(text_features @ Q, dim=-1)
    own = torch.arange(len(images))
    return {
        "text_gram_change": float((turned @ turned.T - texts @ texts.T).abs().max()),
        "top1_before": float(((images @ turned.T).argmax(dim=1) == own).double().mean()),
        "top1_after": float(((images @ texts.T).argmax(dim=1) == own).double().mean()),
    }


# %% chaff: turned_twice
# misconception: turning there and back changes nothing, so do it twice
# hint: You apply Q two times; apply it once.
def rotate_text(image_features, text_features, Q):
    images, texts = F.normalize(image_features, dim=-1), F.normalize(text_features, dim=-1)
    turned = F.normalize(text_features @ Q @ Q, dim=-1)
    own = torch.arange(len(images))
    return {
        "text_gram_change": float((turned @ turned.T - texts @ texts.T).abs().max()),
        "top1_before": float(((images @ texts.T).argmax(dim=1) == own).double().mean()),
        "top1_after": float(((images @ turned.T).argmax(dim=1) == own).double().mean()),
    }


# %% chaff: mean_diagonal
# misconception: accuracy = mean cosine of the matches
# hint: top1 counts the images whose nearest text is their own; you average their cosines.
def rotate_text(image_features, text_features, Q):
    images, texts = F.normalize(image_features, dim=-1), F.normalize(text_features, dim=-1)
    turned = F.normalize(text_features @ Q, dim=-1)
    return {
        "text_gram_change": float((turned @ turned.T - texts @ texts.T).abs().max()),
        "top1_before": float((images * texts).sum(dim=1).mean()),
        "top1_after": float((images * turned).sum(dim=1).mean()),
    }
