"""Wheats and chaffs of top_confusions: other correct solutions, and known mistakes."""


# %% wheat: mask_argsort
def top_confusions(S, k):
    masked = S.clone()
    masked.fill_diagonal_(-math.inf)
    order = masked.flatten().argsort(descending=True)[:k]
    return [(int(p) // len(S), int(p) % len(S)) for p in order]


# %% wheat: numpy_tuples
def top_confusions(S, k):
    masked = np.where(np.eye(len(S), dtype=bool), -np.inf, S.numpy())
    rows, columns = np.unravel_index(np.argsort(-masked, axis=None)[:k], masked.shape)
    return list(zip(rows, columns))


# %% wheat: topk_tensor
def top_confusions(S, k):
    masked = S - torch.diag(torch.full((len(S),), math.inf, dtype=S.dtype))
    found = masked.nan_to_num(neginf=-1e9).flatten().topk(k).indices
    return torch.stack([found // len(S), found % len(S)], dim=1)


# %% wheat: mask_minus_two
# No cosine is below -1.
def top_confusions(S, k):
    masked = S.clone()
    masked[range(len(S)), range(len(S))] = -2.0
    found = masked.flatten().topk(k).indices.tolist()
    return [list(divmod(p, len(S))) for p in found]


# %% wheat: one_at_a_time
def top_confusions(S, k):
    left = S.numpy().copy()
    np.fill_diagonal(left, -np.inf)
    found = []
    while len(found) < k:
        i, j = np.unravel_index(left.argmax(), left.shape)
        found.append((int(i), int(j)))
        left[i, j] = -np.inf
    return found


# %% wheat: array
def top_confusions(S, k):
    S = np.asarray(S)
    pairs = np.argwhere(~np.eye(len(S), dtype=bool))
    return pairs[np.argsort(S[tuple(pairs.T)])[::-1]][:k]


# %% chaff: includes_diagonal
# misconception: matches are confusions
# hint: A pair with i == j is the correct match.
def top_confusions(S, k):
    found = S.flatten().topk(k).indices.tolist()
    return [divmod(p, len(S)) for p in found]


# %% chaff: diag_zero
# misconception: 0 is the smallest similarity
# hint: Cosines can be negative; mask with -inf.
def top_confusions(S, k):
    found = S.clone().fill_diagonal_(0).flatten().topk(k).indices.tolist()
    return [divmod(p, len(S)) for p in found]


# %% chaff: times_off_diagonal
# misconception: multiplying by 0 removes an entry
# hint: An entry times 0 is 0, and 0 is larger than any negative cosine; take the matches out of the list instead.
def top_confusions(S, k):
    masked = S * (1 - torch.eye(len(S), dtype=S.dtype))
    found = masked.flatten().argsort(descending=True)[:k].tolist()
    return [divmod(p, len(S)) for p in found]


# %% chaff: ascending
# misconception: smallest first
# hint: You listed the LEAST confusable pairs.
def top_confusions(S, k):
    pairs = [(i, j) for i in range(len(S)) for j in range(len(S)) if i != j]
    return sorted(pairs, key=lambda pair: float(S[pair]))[:k]


# %% chaff: last_k_unreversed
# misconception: the last k of a sorted list are the largest first
# hint: The k largest are there, but the least similar of them comes first.
def top_confusions(S, k):
    pairs = [(i, j) for i in range(len(S)) for j in range(len(S)) if i != j]
    return sorted(pairs, key=lambda pair: float(S[pair]))[-k:]


# %% chaff: swapped
# misconception: (text, image)
# hint: Return (image index, text index).
def top_confusions(S, k):
    pairs = [(i, j) for i in range(len(S)) for j in range(len(S)) if i != j]
    return [(j, i) for i, j in sorted(pairs, key=lambda pair: -float(S[pair]))[:k]]


# %% chaff: upper_only
# misconception: matrix is symmetric
# hint: Image 2 / text 0 is a different pair from image 0 / text 2.
def top_confusions(S, k):
    pairs = [(i, j) for i in range(len(S)) for j in range(i + 1, len(S))]
    return sorted(pairs, key=lambda pair: -float(S[pair]))[:k]


# %% chaff: symmetrized
# misconception: the similarity of two things has no direction
# hint: S[i, j] is image i with text j, S[j, i] is image j with text i: two measurements; do not average them.
def top_confusions(S, k):
    both = (S + S.T) / 2
    pairs = [(i, j) for i in range(len(S)) for j in range(len(S)) if i != j]
    return sorted(pairs, key=lambda pair: -float(both[pair]))[:k]


# %% chaff: one_per_row
# misconception: every image has one suspect
# hint: Two of the most similar pairs may belong to the same image; sort all pairs together.
def top_confusions(S, k):
    best = S.clone().fill_diagonal_(-math.inf).max(dim=1)
    rows = best.values.argsort(descending=True).tolist()
    pairs = [(i, int(best.indices[i])) for i in rows]
    return (pairs * len(S))[:k]


# %% chaff: absolute
# misconception: a large negative cosine is a strong similarity
# hint: A cosine of -0.9 is the opposite of similar; sort by the cosine itself.
def top_confusions(S, k):
    pairs = [(i, j) for i in range(len(S)) for j in range(len(S)) if i != j]
    return sorted(pairs, key=lambda pair: -abs(float(S[pair])))[:k]


# %% chaff: ignores_k
# misconception: k is only a suggestion
# hint: Return exactly k pairs.
def top_confusions(S, k):
    pairs = [(i, j) for i in range(len(S)) for j in range(len(S)) if i != j]
    return sorted(pairs, key=lambda pair: -float(S[pair]))


# %% chaff: one_based
# misconception: counting from 1
# hint: Indices start at 0; the first image is image 0.
def top_confusions(S, k):
    pairs = [(i, j) for i in range(len(S)) for j in range(len(S)) if i != j]
    return [(i + 1, j + 1) for i, j in sorted(pairs, key=lambda pair: -float(S[pair]))[:k]]


# %% chaff: flat_positions
# misconception: a position in the flattened matrix is a pair
# hint: Position p of the flattened matrix is row p // N and column p % N; return both.
def top_confusions(S, k):
    return S.clone().fill_diagonal_(-math.inf).flatten().topk(k).indices.tolist()


# %% chaff: values
# misconception: the cosines are the answer
# hint: The indices of the pairs are asked for, not their cosines.
def top_confusions(S, k):
    return S.clone().fill_diagonal_(-math.inf).flatten().topk(k).values.tolist()


# %% chaff: drops_the_diagonal_of_the_flat_list
# misconception: a list without the matches still counts in rows of N
# hint: After taking out the N matches, a row has N - 1 entries left, so p // N and p % N point elsewhere.
def top_confusions(S, k):
    rest = S[~torch.eye(len(S), dtype=torch.bool)]
    return [divmod(p, len(S)) for p in rest.topk(k).indices.tolist()]


# %% chaff: in_place
# misconception: fill_diagonal_ makes a copy
# hint: A method whose name ends in _ changes its tensor: the caller's diagonal is gone. Work on S.clone().
def top_confusions(S, k):
    found = S.fill_diagonal_(-math.inf).flatten().topk(k).indices.tolist()
    return [divmod(p, len(S)) for p in found]


# %% chaff: numpy_in_place
# misconception: .numpy() makes a copy
# hint: tensor.numpy() shares its memory with the tensor, so the caller's diagonal is gone, too.
def top_confusions(S, k):
    masked = S.numpy()
    np.fill_diagonal(masked, -np.inf)
    found = np.argsort(-masked, axis=None)[:k]
    return [divmod(int(p), len(masked)) for p in found]
