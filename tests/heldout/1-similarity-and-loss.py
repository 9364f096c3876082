# Wrong answers that no chaff makes (`breaks:` part of the name of a check that is right to name), and chaffs written another way
# (`twin:` the chaff's name). No hint was written for them.

# %% cosine_similarity_matrix max_norm
# breaks: worked by hand / every entry is the cosine / has cosine 1 with itself
def cosine_similarity_matrix(image_features, text_features):
    images = image_features / image_features.abs().max(dim=-1, keepdim=True).values
    texts = text_features / text_features.abs().max(dim=-1, keepdim=True).values
    return images @ texts.T / images.shape[1]


# %% cosine_similarity_matrix absolute_value
# breaks: every entry is the cosine / cosine 1 with itself and -1 / worked by hand
def cosine_similarity_matrix(image_features, text_features):
    return (F.normalize(image_features, dim=-1) @ F.normalize(text_features, dim=-1).T).abs()


# %% cosine_similarity_matrix angle
# breaks: worked by hand / every entry is the cosine / cosine 1 with itself
def cosine_similarity_matrix(image_features, text_features):
    cosines = F.normalize(image_features, dim=-1) @ F.normalize(text_features, dim=-1).T
    return torch.arccos(cosines.clamp(-1, 1))


# %% cosine_similarity_matrix only_square
# breaks: shape (2, 3) / for 3 x 5
def cosine_similarity_matrix(image_features, text_features):
    n = min(len(image_features), len(text_features))
    return F.normalize(image_features[:n], dim=-1) @ F.normalize(text_features[:n], dim=-1).T


# %% cosine_similarity_matrix rounded
# breaks: making an image or a text longer / every entry is the cosine
def cosine_similarity_matrix(image_features, text_features):
    cosines = F.normalize(image_features, dim=-1) @ F.normalize(text_features, dim=-1).T
    return (cosines * 10).round() / 10


# %% cosine_similarity_matrix shared_length
# breaks: making an image or a text longer / depends on its own image / every entry is the cosine
def cosine_similarity_matrix(image_features, text_features):
    length = torch.cat([image_features, text_features]).norm(dim=-1).mean()
    return image_features @ text_features.T / length**2


# %% diagonal_labels doubled_steps
# breaks: in a 4 x 4 matrix the labels point at the diagonal / also for other numbers
def diagonal_labels(n):
    return torch.arange(0, 2 * n, 2)


# %% diagonal_labels shuffled
# breaks: point at the diagonal / also for other numbers
def diagonal_labels(n):
    return (torch.arange(n) + 1) % n


# %% diagonal_labels one_short
# breaks: shape (4,) / point at the diagonal
def diagonal_labels(n):
    return torch.arange(n - 1)


# %% row_cross_entropy squared_error
# breaks: the cat photo / permutation / equal logits cost ln M
def row_cross_entropy(logits, labels):
    return (1 - logits.softmax(dim=1)[torch.arange(len(logits)), labels]) ** 2


# %% row_cross_entropy without_denominator
# breaks: equal logits cost ln M / the cat photo
def row_cross_entropy(logits, labels):
    return -logits[torch.arange(len(logits)), labels]


# %% row_cross_entropy clamped_exponent
# breaks: logits in the thousands / a logit of 2000
def row_cross_entropy(logits, labels):
    clamped = logits.clamp(-50, 50)
    return F.cross_entropy(clamped, labels, reduction="none")


# %% both_direction_losses halves
# breaks: image to text / text to image / transposing / hurts the images
def both_direction_losses(logits):
    labels = torch.arange(len(logits))
    rows, columns = F.cross_entropy(logits, labels), F.cross_entropy(logits.T, labels)
    return rows, (rows + columns) / 2


# %% both_direction_losses symmetrized
# breaks: image to text / text to image / hurts the images / transposing
def both_direction_losses(logits):
    labels, both = torch.arange(len(logits)), (logits + logits.T) / 2
    return F.cross_entropy(both, labels), F.cross_entropy(both.T, labels)


# %% clip_loss larger_of_two
# breaks: three pairs of vectors / the value for 5 pairs / OpenCLIP
def clip_loss(image_features, text_features, tau):
    logits = tau.exp() * F.normalize(image_features, dim=-1) @ F.normalize(text_features, dim=-1).T
    labels = torch.arange(len(logits))
    return torch.maximum(F.cross_entropy(logits, labels), F.cross_entropy(logits.T, labels))


# %% clip_loss hinge
# breaks: ln N for every tau / the value for 5 pairs / orthonormal
def clip_loss(image_features, text_features, tau):
    logits = tau.exp() * F.normalize(image_features, dim=-1) @ F.normalize(text_features, dim=-1).T
    return F.relu(1 + logits - logits.diag()[:, None]).mean()


# %% batch_facts off_by_two
# breaks: batch of 4 pairs / 8 pairs / 32,768
def batch_facts(n):
    return {
        "negatives_per_image": n - 2,
        "negatives_total": n * (n - 2),
        "chance_accuracy": 1 / n,
        "chance_loss": math.log(n),
    }


# %% batch_facts of_four
# breaks: 8 pairs / 32,768
def batch_facts(n):
    return {"negatives_per_image": 3, "negatives_total": 12, "chance_accuracy": 0.25, "chance_loss": math.log(4)}


# %% accuracy_at_batch_size top_two
# breaks: five pairs in batches of 2 / 32 pairs in batches / never easier
def accuracy_at_batch_size(image_features, text_features, n):
    images, texts = F.normalize(image_features, dim=1), F.normalize(text_features, dim=1)
    whole, hits = len(images) // n * n, 0
    for start in range(0, whole, n):
        S = images[start : start + n] @ texts[start : start + n].T
        best = S.topk(min(2, n), dim=1).indices
        hits += int((best == torch.arange(n)[:, None]).any(dim=1).sum())
    return hits / whole


# %% accuracy_at_batch_size last_batch_only
# breaks: 32 pairs in batches / smaller is dropped / never easier
def accuracy_at_batch_size(image_features, text_features, n):
    S = F.normalize(image_features[-n:], dim=1) @ F.normalize(text_features[-n:], dim=1).T
    return (S.argmax(dim=1) == torch.arange(n)).double().mean().item()


# %% cosine_similarity_matrix no_norm
# twin: no_norm
def cosine_similarity_matrix(image_features, text_features):
    return np.array(
        [[sum(a * b for a, b in zip(i, t)) for t in text_features.tolist()] for i in image_features.tolist()]
    )


# %% cosine_similarity_matrix transposed
# twin: transposed
def cosine_similarity_matrix(image_features, text_features):
    return F.cosine_similarity(text_features[:, None], image_features[None], dim=-1)


# %% cosine_similarity_matrix norm_dim0
# twin: norm_dim0
def cosine_similarity_matrix(image_features, text_features):
    images, texts = image_features.numpy(), text_features.numpy()
    return np.einsum("nd,md->nm", images / np.sqrt((images**2).sum(0)), texts / np.sqrt((texts**2).sum(0)))


# %% diagonal_labels one_based
# twin: one_based
def diagonal_labels(n):
    return [k + 1 for k in range(n)]


# %% row_cross_entropy mean_reduced
# twin: mean_reduced
def row_cross_entropy(logits, labels):
    return -logits.log_softmax(dim=1).gather(1, labels[:, None]).mean()


# %% both_direction_losses swapped
# twin: swapped
def both_direction_losses(logits):
    rows = -logits.log_softmax(dim=1).diagonal().mean()
    columns = -logits.log_softmax(dim=0).diagonal().mean()
    return [columns, rows]


# %% clip_loss rows_only
# twin: rows_only
def clip_loss(image_features, text_features, tau):
    logits = torch.exp(tau) * F.cosine_similarity(image_features[:, None], text_features[None], dim=-1)
    return -logits.log_softmax(dim=1).diagonal().mean()


# %% batch_facts n_squared
# twin: n_squared
def batch_facts(n):
    return dict(
        negatives_per_image=n - 1, negatives_total=n**2, chance_accuracy=torch.tensor(1.0) / n, chance_loss=np.log(n)
    )


# %% accuracy_at_batch_size percent
# twin: percent
def accuracy_at_batch_size(image_features, text_features, n):
    right = []
    for images, texts in zip(image_features.split(n), text_features.split(n)):
        if len(images) == n:
            S = F.cosine_similarity(images[:, None], texts[None], dim=-1)
            right += (S.argmax(1) == torch.arange(n)).tolist()
    return 100 * np.mean(right)
