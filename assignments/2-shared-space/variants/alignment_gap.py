"""Wheats and chaffs of alignment_gap: other correct solutions, and known mistakes."""


# %% wheat: sums
def alignment_gap(S):
    n = len(S)
    return float(S.trace() / n - (S.sum() - S.trace()) / (n * n - n))


# %% wheat: numpy
def alignment_gap(S):
    S = np.asarray(S)
    matches = np.eye(len(S), dtype=bool)
    return S[matches].mean() - S[~matches].mean()


# %% wheat: loops
def alignment_gap(S):
    own, others = [], []
    for i, row in enumerate(S.tolist()):
        for j, cosine in enumerate(row):
            (own if i == j else others).append(cosine)
    return sum(own) / len(own) - sum(others) / len(others)


# %% wheat: tensor
def alignment_gap(S):
    off = torch.ones_like(S) - torch.eye(len(S), dtype=S.dtype)
    return S.diagonal().mean() - (S * off).sum() / off.sum()


# %% wheat: float32
def alignment_gap(S):
    S = S.float()
    n = S.shape[0]
    return (S.diag().mean() - (S.sum() - S.diag().sum()) / (n * (n - 1))).item()


# %% wheat: row_by_row
# Every row has equally many others, so the mean of the rows' gaps is the gap.
def alignment_gap(S):
    n = len(S)
    gaps = [S[i, i] - torch.cat([S[i, :i], S[i, i + 1 :]]).mean() for i in range(n)]
    return float(torch.stack(gaps).mean())


# %% wheat: in_place_diagonal
# It changes the argument, which nobody forbids here.
def alignment_gap(S):
    n = len(S)
    own = S.diagonal().mean().item()
    S.fill_diagonal_(0)
    return own - S.sum().item() / (n * n - n)


# %% chaff: mean_includes_diag
# misconception: off-diagonal = everything
# hint: Exclude the N matches from the second mean.
def alignment_gap(S):
    return float(S.diagonal().mean() - S.mean())


# %% chaff: zeroed_mean
# misconception: zero the diagonal, then mean
# hint: You still divide by N^2; there are only N^2 - N non-matches.
def alignment_gap(S):
    rest = S.clone().fill_diagonal_(0)
    return float(S.diagonal().mean() - rest.mean())


# %% chaff: trace
# misconception: sums not means
# hint: Sums depend on the batch size; compare means.
def alignment_gap(S):
    return float(S.trace() - (S.sum() - S.trace()))


# %% chaff: ratio
# misconception: ratio
# hint: Cosines can be 0 or negative, so a ratio has no meaning; subtract.
def alignment_gap(S):
    matches = torch.eye(len(S), dtype=torch.bool)
    return float(S[matches].mean() / S[~matches].mean())


# %% chaff: upper_only
# misconception: matrix is symmetric
# hint: S[i, j] and S[j, i] are different pairs here (image i / text j).
def alignment_gap(S):
    upper = torch.ones_like(S, dtype=torch.bool).triu(1)
    return float(S.diagonal().mean() - S[upper].mean())


# %% chaff: lower_only
# misconception: each pair stands in the matrix twice
# hint: Image 0 with text 2 and image 2 with text 0 are different pairs; your second mean knows only one of them.
def alignment_gap(S):
    lower = torch.ones_like(S, dtype=torch.bool).tril(-1)
    return float(S.diagonal().mean() - S[lower].mean())


# %% chaff: hardest_negative
# misconception: only the closest non-match counts
# hint: All N^2 - N non-matches enter the second mean, not only the largest of each row.
def alignment_gap(S):
    rest = S.clone().fill_diagonal_(-math.inf)
    return float((S.diagonal() - rest.max(dim=1).values).mean())


# %% chaff: sign
# misconception: order
# hint: A well trained model has a positive gap: matches minus the rest.
def alignment_gap(S):
    matches = torch.eye(len(S), dtype=torch.bool)
    return float(S[~matches].mean() - S[matches].mean())


# %% chaff: absolute
# misconception: only the size of a cosine matters
# hint: A cosine of -0.3 is further away than one of 0.1; keep the signs.
def alignment_gap(S):
    matches = torch.eye(len(S), dtype=torch.bool)
    return float(S[matches].abs().mean() - S[~matches].abs().mean())


# %% chaff: nonzero_only
# misconception: an entry of 0 is a missing entry
# hint: A cosine of 0 is a measurement like any other; choose the non-matches by their place, not by their value.
def alignment_gap(S):
    rest = S.clone().fill_diagonal_(0)
    return float(S.diagonal().mean() - rest[rest != 0].mean())


# %% chaff: positive_only
# misconception: a similarity cannot be negative
# hint: Non-matches below 0 count, too.
def alignment_gap(S):
    matches = torch.eye(len(S), dtype=torch.bool)
    return float(S[matches].mean() - S[~matches].clamp(min=0).mean())


# %% chaff: median
# misconception: any average will do
# hint: The contract asks for the mean of the others; you take their median.
def alignment_gap(S):
    matches = torch.eye(len(S), dtype=torch.bool)
    return float(S[matches].mean() - S[~matches].median())


# %% chaff: five_hard_coded
# misconception: the matrix is 5 x 5
# hint: There are N^2 - N non-matches; you divide by 20 whatever N is.
def alignment_gap(S):
    return float(S.diagonal().mean() - (S.sum() - S.trace()) / 20)


# %% chaff: divides_by_n
# misconception: N non-matches
# hint: Each of the N images has N - 1 non-matches; divide their sum by N (N - 1).
def alignment_gap(S):
    n = len(S)
    return float(S.trace() / n - (S.sum() - S.trace()) / n)


# %% chaff: per_row_list
# misconception: one gap per image
# hint: One number is asked for; you return one for each image.
def alignment_gap(S):
    n = len(S)
    return S.diagonal() - (S.sum(dim=1) - S.diagonal()) / (n - 1)
