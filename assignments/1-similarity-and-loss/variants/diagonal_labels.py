"""Wheats and chaffs of diagonal_labels: other correct solutions, and known mistakes."""


# %% wheat: numpy
def diagonal_labels(n):
    return np.arange(n)


# %% wheat: list_tensor
def diagonal_labels(n):
    return torch.tensor([row for row in range(n)])


# %% wheat: eye_argmax
def diagonal_labels(n):
    return torch.eye(n).argmax(dim=1)


# %% wheat: python_list
def diagonal_labels(n):
    return list(range(n))


# %% wheat: int32
def diagonal_labels(n):
    return torch.arange(n, dtype=torch.int32)


# %% wheat: cumulative
def diagonal_labels(n):
    return np.ones(n, dtype=np.uint16).cumsum() - 1


# %% chaff: all_zero
# misconception: 'match = class 0'
# hint: In row 3 the matching text is in column 3, not column 0.
def diagonal_labels(n):
    return torch.zeros(n, dtype=torch.long)


# %% chaff: all_one
# misconception: label 1 = 'is a match' (binary thinking)
# hint: The label is WHICH column matches, not whether there is a match.
def diagonal_labels(n):
    return torch.ones(n, dtype=torch.long)


# %% chaff: one_based
# misconception: counting from 1
# hint: Indices start at 0; the last label is n - 1.
def diagonal_labels(n):
    return torch.arange(1, n + 1)


# %% chaff: one_hot_float
# misconception: targets must be one-hot
# hint: cross_entropy would accept these as class probabilities, but the contract is n integer class indices.
def diagonal_labels(n):
    return torch.eye(n)


# %% chaff: float_arange
# misconception: labels are floats
# hint: An index is a whole number (torch.long): count with torch.arange(n); linspace and a float dtype give floats.
def diagonal_labels(n):
    return torch.arange(n, dtype=torch.float32)


# %% chaff: column_vector
# misconception: shape (N, 1) = (N,)
# hint: cross_entropy wants shape (n,), one label per row, without a second axis.
def diagonal_labels(n):
    return torch.arange(n)[:, None]


# %% chaff: reversed
# misconception: the diagonal runs from bottom left to top right
# hint: Image 0 matches text 0; your labels run backwards and point at the other diagonal.
def diagonal_labels(n):
    return torch.arange(n).flip(0)


# %% chaff: flat_index
# misconception: the label is the position in the flattened matrix
# hint: A label is a column of its own row, so it is at most n - 1; yours count through the whole matrix.
def diagonal_labels(n):
    return torch.arange(n) * (n + 1)


# %% chaff: numpy_linspace
# misconception: linspace counts
# hint: An index is a whole number (torch.long): count with torch.arange(n); linspace and a float dtype give floats.
def diagonal_labels(n):
    return np.linspace(0, n - 1, n)


# %% chaff: always_four
# misconception: the batch of the example is the only batch
# hint: The number of labels must follow n; yours fit the batch of 4 only.
def diagonal_labels(n):
    return torch.tensor([0, 1, 2, 3])
