"""Wheats and chaffs of pairwise_accuracy: other correct solutions, and known mistakes."""


# %% wheat: loop
def pairwise_accuracy(image_features, A, B):
    right = 0
    for image, a, b in zip(image_features, A, B):
        right += bool(image @ a / a.norm() > image @ b / b.norm())
    return right / len(image_features)


# %% wheat: unit_rows
def pairwise_accuracy(image_features, A, B):
    images, A, B = (torch.nn.functional.normalize(x, dim=-1) for x in (image_features, A, B))
    return ((images * A).sum(dim=1) > (images * B).sum(dim=1)).float().mean()


# %% wheat: numpy
def pairwise_accuracy(image_features, A, B):
    images, A, B = image_features.numpy(), A.numpy(), B.numpy()
    to_a = np.einsum("kd,kd->k", images, A) / np.linalg.norm(A, axis=1)
    to_b = np.einsum("kd,kd->k", images, B) / np.linalg.norm(B, axis=1)
    return np.mean(to_a > to_b)


# %% wheat: plain_python
def pairwise_accuracy(image_features, A, B):
    def cosine(x, y):
        dot = sum(p * q for p, q in zip(x, y))
        return dot / math.sqrt(sum(p * p for p in x) * sum(q * q for q in y))

    rows = list(zip(image_features.tolist(), A.tolist(), B.tolist()))
    return sum(cosine(image, a) > cosine(image, b) for image, a, b in rows) / len(rows)


# %% wheat: diagonals
def pairwise_accuracy(image_features, A, B):
    images, A, B = (torch.nn.functional.normalize(x, dim=-1) for x in (image_features, A, B))
    gaps = (images @ A.T).diagonal() - (images @ B.T).diagonal()
    return (gaps > 0).sum().item() / len(gaps)


# %% wheat: sign_of_the_difference
def pairwise_accuracy(image_features, A, B):
    unit = torch.nn.functional.normalize
    gaps = torch.einsum("kd,kd->k", image_features, unit(A, dim=1) - unit(B, dim=1))
    return float((gaps > 1e-12).double().mean())


# %% wheat: distances_of_unit_rows
def pairwise_accuracy(image_features, A, B):
    images, A, B = (torch.nn.functional.normalize(x, dim=-1) for x in (image_features, A, B))
    return float(((images - A).norm(dim=1) < (images - B).norm(dim=1)).double().mean())


# %% wheat: float32
def pairwise_accuracy(image_features, A, B):
    images, A, B = image_features.float(), A.float(), B.float()
    cosine = torch.nn.functional.cosine_similarity
    return (cosine(images, A) > cosine(images, B)).float().mean().item()


# %% wheat: complement
def pairwise_accuracy(image_features, A, B):
    cosine = torch.nn.functional.cosine_similarity
    return 1 - float((cosine(image_features, A) <= cosine(image_features, B)).double().mean())


# %% chaff: no_norm
# misconception: dot = cosine
# hint: Normalize the captions: their lengths differ. The image's length is on both sides and changes nothing.
def pairwise_accuracy(image_features, A, B):
    return float(((image_features * A).sum(1) > (image_features * B).sum(1)).double().mean())


# %% chaff: ties_win
# misconception: tie = success
# hint: If both captions score the same, CLIP did NOT tell them apart; argmax takes the first of the two. Compare with >.
def pairwise_accuracy(image_features, A, B):
    cosine = torch.nn.functional.cosine_similarity
    return float((cosine(image_features, A) >= cosine(image_features, B)).double().mean())


# %% chaff: full_matrix
# misconception: all pairs
# hint: Compare image k only with ITS two captions.
def pairwise_accuracy(image_features, A, B):
    images, A, B = (torch.nn.functional.normalize(x, dim=-1) for x in (image_features, A, B))
    return float((images @ A.T > images @ B.T).double().mean())


# %% chaff: percent
# misconception: percent
# hint: Return a fraction.
def pairwise_accuracy(image_features, A, B):
    cosine = torch.nn.functional.cosine_similarity
    return 100 * float((cosine(image_features, A) > cosine(image_features, B)).double().mean())


# %% chaff: count
# misconception: count
# hint: Divide by the number of images.
def pairwise_accuracy(image_features, A, B):
    cosine = torch.nn.functional.cosine_similarity
    return int((cosine(image_features, A) > cosine(image_features, B)).sum())


# %% chaff: ties_half
# misconception: a tie is half a success
# hint: The task counts a tie as not told apart: 0, not one half.
def pairwise_accuracy(image_features, A, B):
    cosine = torch.nn.functional.cosine_similarity
    gaps = cosine(image_features, A) - cosine(image_features, B)
    return float(((gaps > 0).double() + 0.5 * (gaps == 0).double()).mean())


# %% chaff: ties_dropped
# misconception: a tie does not count at all
# hint: Divide by all K images; a tie is one that was not right.
def pairwise_accuracy(image_features, A, B):
    cosine = torch.nn.functional.cosine_similarity
    gaps = cosine(image_features, A) - cosine(image_features, B)
    return float((gaps > 0).sum() / (gaps != 0).sum())


# %% chaff: argmax_ties
# misconception: argmax knows about ties
# hint: If both captions score the same, CLIP did NOT tell them apart; argmax takes the first of the two. Compare with >.
def pairwise_accuracy(image_features, A, B):
    cosine = torch.nn.functional.cosine_similarity
    both = torch.stack([cosine(image_features, A), cosine(image_features, B)], dim=1)
    return float((both.argmax(dim=1) == 0).double().mean())


# %% chaff: swapped
# misconception: order
# hint: A holds the right captions: count the images that are nearer to A[k].
def pairwise_accuracy(image_features, A, B):
    cosine = torch.nn.functional.cosine_similarity
    return float((cosine(image_features, A) < cosine(image_features, B)).double().mean())


# %% chaff: one_side
# misconception: normalizing one set of captions is enough
# hint: Multiply the B captions by 30: your accuracy changes, cosines would not.
def pairwise_accuracy(image_features, A, B):
    unit = torch.nn.functional.normalize
    images, A = unit(image_features, dim=-1), unit(A, dim=-1)
    return float(((images * A).sum(1) > (images * B).sum(1)).double().mean())


# %% chaff: images_only
# misconception: normalizing the images is enough
# hint: Normalize the captions: their lengths differ. The image's length is on both sides and changes nothing.
def pairwise_accuracy(image_features, A, B):
    images = torch.nn.functional.normalize(image_features, dim=-1)
    return float(((images * A).sum(1) > (images * B).sum(1)).double().mean())


# %% chaff: norm_dim0
# misconception: normalize each feature over the batch
# hint: Check A.norm(dim=-1) after normalizing: is each ROW of length 1, or each column?
def pairwise_accuracy(image_features, A, B):
    images, A, B = (torch.nn.functional.normalize(x, dim=0) for x in (image_features, A, B))
    return float(((images * A).sum(1) > (images * B).sum(1)).double().mean())


# %% chaff: cosine_over_batch
# misconception: the default dim is the features
# hint: dim=0 runs down the batch: that gives D cosines of columns, where K cosines of rows are needed.
def pairwise_accuracy(image_features, A, B):
    cosine = torch.nn.functional.cosine_similarity
    return float((cosine(image_features, A, dim=0) > cosine(image_features, B, dim=0)).double().mean())


# %% chaff: threshold
# misconception: a positive similarity is a match
# hint: The other caption may be nearer still; compare the two cosines with each other.
def pairwise_accuracy(image_features, A, B):
    return float((torch.nn.functional.cosine_similarity(image_features, A) > 0).double().mean())


# %% chaff: mean_margin
# misconception: the average margin is the accuracy
# hint: One clear picture can outweigh several unclear ones; count the pictures that prefer their first caption.
def pairwise_accuracy(image_features, A, B):
    cosine = torch.nn.functional.cosine_similarity
    return float((cosine(image_features, A) - cosine(image_features, B)).mean())


# %% chaff: all_or_nothing
# misconception: the sum decides for all
# hint: You compare two averages once; each picture makes its own choice.
def pairwise_accuracy(image_features, A, B):
    cosine = torch.nn.functional.cosine_similarity
    return float(cosine(image_features, A).mean() > cosine(image_features, B).mean())


# %% chaff: among_all
# misconception: right = the nearest caption of all is its own
# hint: Each picture chooses between its own two captions, not among those of the others.
def pairwise_accuracy(image_features, A, B):
    images, captions = (torch.nn.functional.normalize(x, dim=-1) for x in (image_features, torch.cat([A, B])))
    return float(((images @ captions.T).argmax(dim=1) == torch.arange(len(images))).double().mean())


# %% chaff: rounded
# misconception: two digits are enough
# hint: Captions of the same words differ in the third digit; do not round before you compare.
def pairwise_accuracy(image_features, A, B):
    cosine = torch.nn.functional.cosine_similarity
    a, b = (torch.round(cosine(image_features, x), decimals=2) for x in (A, B))
    return float((a > b).double().mean())


# %% chaff: euclidean
# misconception: distance = angle
# hint: A long caption vector is far from everything; normalize the rows before you measure distances.
def pairwise_accuracy(image_features, A, B):
    return float(((image_features - A).norm(dim=1) < (image_features - B).norm(dim=1)).double().mean())


# %% chaff: absolute
# misconception: a similarity has no sign
# hint: A caption that points away from the image is not near; drop the abs().
def pairwise_accuracy(image_features, A, B):
    cosine = torch.nn.functional.cosine_similarity
    return float((cosine(image_features, A).abs() > cosine(image_features, B).abs()).double().mean())


# %% chaff: l1_norm
# misconception: any norm will do
# hint: A cosine uses the Euclidean (L2) length.
def pairwise_accuracy(image_features, A, B):
    A, B = (torch.nn.functional.normalize(x, p=1, dim=-1) for x in (A, B))
    return float(((image_features * A).sum(1) > (image_features * B).sum(1)).double().mean())


# %% chaff: floor_division
# misconception: // divides
# hint: 3 // 4 is 0; use / for a fraction.
def pairwise_accuracy(image_features, A, B):
    cosine = torch.nn.functional.cosine_similarity
    return int((cosine(image_features, A) > cosine(image_features, B)).sum()) // len(A)


# %% chaff: over_both_captions
# misconception: divide by the number of captions
# hint: There are 2K captions and K choices; divide by K.
def pairwise_accuracy(image_features, A, B):
    cosine = torch.nn.functional.cosine_similarity
    return int((cosine(image_features, A) > cosine(image_features, B)).sum()) / (len(A) + len(B))


# %% chaff: in_place
# misconception: x /= n is harmless
# hint: You changed the caller's tensors; use x = x / n instead of x /= n.
def pairwise_accuracy(image_features, A, B):
    for x in (image_features, A, B):
        x /= x.norm(dim=1, keepdim=True)
    return float(((image_features * A).sum(1) > (image_features * B).sum(1)).double().mean())


# %% chaff: a_vector
# misconception: one answer per picture
# hint: Return the share of them as one number: take the mean.
def pairwise_accuracy(image_features, A, B):
    cosine = torch.nn.functional.cosine_similarity
    return (cosine(image_features, A) > cosine(image_features, B)).double()
