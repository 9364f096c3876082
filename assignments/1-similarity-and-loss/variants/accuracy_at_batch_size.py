"""Wheats and chaffs of accuracy_at_batch_size: other correct solutions, and known mistakes."""


# %% wheat: numpy
def accuracy_at_batch_size(image_features, text_features, n):
    images, texts = np.asarray(image_features), np.asarray(text_features)
    texts = texts / np.linalg.norm(texts, axis=1, keepdims=True)
    whole = len(images) // n * n
    scores = np.einsum(
        "bid,bjd->bij", images[:whole].reshape(-1, n, images.shape[1]), texts[:whole].reshape(-1, n, images.shape[1])
    )
    return (scores.argmax(axis=2) == np.arange(n)).mean()


# %% wheat: mask_block_diagonal
def accuracy_at_batch_size(image_features, text_features, n):
    whole = len(image_features) // n * n
    S = F.normalize(image_features[:whole], dim=1) @ F.normalize(text_features[:whole], dim=1).T
    batch = torch.arange(whole) // n
    S = S.masked_fill(batch[:, None] != batch[None, :], -torch.inf)
    return (S.argmax(dim=1) == torch.arange(whole)).double().mean()


# %% wheat: split_float32
def accuracy_at_batch_size(image_features, text_features, n):
    right = judged = 0
    for images, texts in zip(image_features.float().split(n), F.normalize(text_features.float(), dim=1).split(n)):
        if len(images) == n:
            right += (images @ texts.T).argmax(1).eq(torch.arange(n)).sum().item()
            judged += n
    return right / judged


# %% wheat: python_loops
def accuracy_at_batch_size(image_features, text_features, n):
    hits = []
    for i in range(len(image_features) - len(image_features) % n):
        first = i // n * n
        cosines = [
            float(F.cosine_similarity(image_features[i], text_features[j], dim=0)) for j in range(first, first + n)
        ]
        hits.append(cosines.index(max(cosines)) == i - first)
    return sum(hits) / len(hits)


# %% chaff: ignores_n
# misconception: batch size is irrelevant to the task
# hint: Each image may only choose among the n captions of ITS batch.
def accuracy_at_batch_size(image_features, text_features, n):
    S = F.normalize(image_features, dim=1) @ F.normalize(text_features, dim=1).T
    whole = len(S) // n * n
    return (S.argmax(dim=1) == torch.arange(len(S)))[:whole].double().mean().item()


# %% chaff: global_labels
# misconception: labels keep the global index
# hint: Inside a batch the labels are 0..n-1 again.
def accuracy_at_batch_size(image_features, text_features, n):
    images, texts = F.normalize(image_features, dim=1), F.normalize(text_features, dim=1)
    whole, hits = len(images) // n * n, 0
    for start in range(0, whole, n):
        chosen = (images[start : start + n] @ texts[start : start + n].T).argmax(dim=1)
        hits += int((chosen == torch.arange(start, start + n)).sum())
    return hits / whole


# %% chaff: no_text_norm
# misconception: dot = cosine
# hint: A long text vector wins every row; normalize the texts.
def accuracy_at_batch_size(image_features, text_features, n):
    images, texts = F.normalize(image_features, dim=1), text_features
    whole, hits = len(images) // n * n, 0
    for start in range(0, whole, n):
        chosen = (images[start : start + n] @ texts[start : start + n].T).argmax(dim=1)
        hits += int((chosen == torch.arange(n)).sum())
    return hits / whole


# %% chaff: count
# misconception: count not fraction
# hint: Divide by the number of images judged.
def accuracy_at_batch_size(image_features, text_features, n):
    images, texts = F.normalize(image_features, dim=1), F.normalize(text_features, dim=1)
    whole, hits = len(images) // n * n, 0
    for start in range(0, whole, n):
        chosen = (images[start : start + n] @ texts[start : start + n].T).argmax(dim=1)
        hits += int((chosen == torch.arange(n)).sum())
    return hits


# %% chaff: keeps_ragged
# misconception: the last, smaller batch counts too
# hint: A smaller last batch is an easier task; the contract says to drop it.
def accuracy_at_batch_size(image_features, text_features, n):
    images, texts = F.normalize(image_features, dim=1), F.normalize(text_features, dim=1)
    hits = 0
    for start in range(0, len(images), n):
        chosen = (images[start : start + n] @ texts[start : start + n].T).argmax(dim=1)
        hits += int((chosen == torch.arange(len(chosen))).sum())
    return hits / len(images)


# %% chaff: divides_by_all
# misconception: dropped images were judged too
# hint: The images of the dropped batch were never judged; divide by the number of images in whole batches.
def accuracy_at_batch_size(image_features, text_features, n):
    images, texts = F.normalize(image_features, dim=1), F.normalize(text_features, dim=1)
    whole, hits = len(images) // n * n, 0
    for start in range(0, whole, n):
        chosen = (images[start : start + n] @ texts[start : start + n].T).argmax(dim=1)
        hits += int((chosen == torch.arange(n)).sum())
    return hits / len(images)


# %% chaff: texts_choose
# misconception: row/column convention
# hint: Each IMAGE picks a caption: take the largest entry along the row, not down the column.
def accuracy_at_batch_size(image_features, text_features, n):
    images, texts = F.normalize(image_features, dim=1), F.normalize(text_features, dim=1)
    whole, hits = len(images) // n * n, 0
    for start in range(0, whole, n):
        chosen = (images[start : start + n] @ texts[start : start + n].T).argmax(dim=0)
        hits += int((chosen == torch.arange(n)).sum())
    return hits / whole


# %% chaff: percent
# misconception: percent
# hint: Return a fraction between 0 and 1, not a percentage.
def accuracy_at_batch_size(image_features, text_features, n):
    images, texts = F.normalize(image_features, dim=1), F.normalize(text_features, dim=1)
    whole, hits = len(images) // n * n, 0
    for start in range(0, whole, n):
        chosen = (images[start : start + n] @ texts[start : start + n].T).argmax(dim=1)
        hits += int((chosen == torch.arange(n)).sum())
    return 100 * hits / whole


# %% chaff: first_batch_only
# misconception: one batch stands for all
# hint: You judge the first batch only; go through all whole batches.
def accuracy_at_batch_size(image_features, text_features, n):
    S = F.normalize(image_features[:n], dim=1) @ F.normalize(text_features[:n], dim=1).T
    return (S.argmax(dim=1) == torch.arange(n)).double().mean().item()


# %% chaff: numpy_strided
# misconception: reshape cuts in any order
# hint: The batches must be consecutive pairs; yours take every k-th pair.
def accuracy_at_batch_size(image_features, text_features, n):
    images, texts = image_features.numpy(), F.normalize(text_features, dim=1).numpy()
    batches = len(images) // n
    hits = 0
    for k in range(batches):
        S = images[k : batches * n : batches] @ texts[k : batches * n : batches].T
        hits += (S.argmax(axis=1) == np.arange(n)).sum()
    return hits / (batches * n)


# %% chaff: both_must_choose
# misconception: a pair counts only if text and image pick each other
# hint: Only the image chooses here; do not ask whether the text would have chosen it too.
def accuracy_at_batch_size(image_features, text_features, n):
    images, texts = F.normalize(image_features, dim=1), F.normalize(text_features, dim=1)
    whole, hits = len(images) // n * n, 0
    for start in range(0, whole, n):
        S = images[start : start + n] @ texts[start : start + n].T
        hits += int(((S.argmax(dim=1) == torch.arange(n)) & (S.argmax(dim=0) == torch.arange(n))).sum())
    return hits / whole
