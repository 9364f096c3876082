"""Wheats and chaffs of both_direction_losses: other correct solutions, and known mistakes."""


# %% wheat: log_softmax_both_dims
def both_direction_losses(logits):
    return -logits.log_softmax(dim=1).diag().mean(), -logits.log_softmax(dim=0).diag().mean()


# %% wheat: onehot_targets
def both_direction_losses(logits):
    targets = torch.eye(len(logits), dtype=logits.dtype)
    return F.cross_entropy(logits, targets), F.cross_entropy(logits.T, targets)


# %% wheat: logsumexp_list
def both_direction_losses(logits):
    return [(logits.logsumexp(dim) - logits.diagonal()).mean().item() for dim in (1, 0)]


# %% wheat: numpy
def both_direction_losses(logits):
    x = logits.numpy()
    rows = np.logaddexp.reduce(x, axis=1) - np.diag(x)
    columns = np.logaddexp.reduce(x, axis=0) - np.diag(x)
    return rows.mean(), columns.mean()


# %% wheat: stacked_float32
def both_direction_losses(logits):
    both = torch.stack([logits, logits.T]).float()
    labels = torch.arange(len(logits)).repeat(2, 1)
    return F.cross_entropy(both.transpose(1, 2), labels, reduction="none").mean(dim=1)


# %% chaff: forgot_transpose
# misconception: both directions are the same thing
# hint: The second loss must classify COLUMNS: which image matches this text?
def both_direction_losses(logits):
    labels = torch.arange(len(logits))
    return F.cross_entropy(logits, labels), F.cross_entropy(logits, labels)


# %% chaff: swapped
# misconception: row/column convention
# hint: First value: rows (image to text), in numpy axis=1; second: columns (text to image), axis=0.
def both_direction_losses(logits):
    labels = torch.arange(len(logits))
    return F.cross_entropy(logits.T, labels), F.cross_entropy(logits, labels)


# %% chaff: labels_zero
# misconception: match = class 0
# hint: Row i's correct column is i.
def both_direction_losses(logits):
    labels = torch.zeros(len(logits), dtype=torch.long)
    return F.cross_entropy(logits, labels), F.cross_entropy(logits.T, labels)


# %% chaff: sum_reduction
# misconception: sum over the batch
# hint: Average over the N rows, or the loss grows with the batch.
def both_direction_losses(logits):
    labels = torch.arange(len(logits))
    return F.cross_entropy(logits, labels, reduction="sum"), F.cross_entropy(logits.T, labels, reduction="sum")


# %% chaff: softmax_first
# misconception: cross_entropy wants probabilities
# hint: Pass logits; softmax is inside cross_entropy.
def both_direction_losses(logits):
    labels = torch.arange(len(logits))
    return F.cross_entropy(logits.softmax(dim=1), labels), F.cross_entropy(logits.T.softmax(dim=1), labels)


# %% chaff: softmax_dim0_then_rows
# misconception: column softmax fed to a row loss
# hint: cross_entropy re-normalizes along dim 1; transpose the logits instead.
def both_direction_losses(logits):
    labels = torch.arange(len(logits))
    return F.cross_entropy(logits, labels), F.cross_entropy(logits.log_softmax(dim=0), labels)


# %% chaff: averaged
# misconception: only the average of the two directions matters
# hint: Your two values always equal each other; return the two directions apart, their mean comes in the next task.
def both_direction_losses(logits):
    labels = torch.arange(len(logits))
    loss = (F.cross_entropy(logits, labels) + F.cross_entropy(logits.T, labels)) / 2
    return loss, loss


# %% chaff: halved
# misconception: the 1/2 of the CLIP loss belongs to each direction
# hint: Each direction by itself is a plain average; with equal logits it is ln N, yours is half of that.
def both_direction_losses(logits):
    labels = torch.arange(len(logits))
    return F.cross_entropy(logits, labels) / 2, F.cross_entropy(logits.T, labels) / 2


# %% chaff: naive_exp
# misconception: exp/sum/log is fine
# hint: With logits in the thousands exp overflows; cross_entropy and log_softmax subtract the maximum first.
def both_direction_losses(logits):
    p = logits.exp()
    return -(p / p.sum(1, keepdim=True)).diag().log().mean(), -(p / p.sum(0, keepdim=True)).diag().log().mean()


# %% chaff: flipped_instead
# misconception: reversing the columns gives the other direction
# hint: Flipping moves the matches off the diagonal; the other direction is the transpose.
def both_direction_losses(logits):
    labels = torch.arange(len(logits))
    return F.cross_entropy(logits, labels), F.cross_entropy(logits.flip(1), labels)


# %% chaff: transposed_labels
# misconception: when the matrix is transposed, the labels are reversed
# hint: The match of text j is image j; transposing leaves the diagonal and its labels as they are.
def both_direction_losses(logits):
    labels = torch.arange(len(logits))
    return F.cross_entropy(logits, labels), F.cross_entropy(logits.T, labels.flip(0))


# %% chaff: numpy_axes_exchanged
# misconception: axis=0 sums along a row
# hint: First value: rows (image to text), in numpy axis=1; second: columns (text to image), axis=0.
def both_direction_losses(logits):
    x = logits.numpy()
    return tuple(float((np.logaddexp.reduce(x, axis=axis) - np.diag(x)).mean()) for axis in (0, 1))
