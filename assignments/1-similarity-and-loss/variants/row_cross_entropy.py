"""Wheats and chaffs of row_cross_entropy: other correct solutions, and known mistakes."""


# %% wheat: logsumexp
def row_cross_entropy(logits, labels):
    return logits.logsumexp(dim=1) - logits[torch.arange(len(logits)), labels]


# %% wheat: log_softmax_gather
def row_cross_entropy(logits, labels):
    return -logits.log_softmax(dim=-1).gather(1, labels[:, None]).squeeze(1)


# %% wheat: loop_max_trick
def row_cross_entropy(logits, labels):
    losses = []
    for row, label in zip(logits.tolist(), labels.tolist()):
        top = max(row)
        losses.append(math.log(sum(math.exp(x - top) for x in row)) + top - row[label])
    return losses


# %% wheat: numpy
def row_cross_entropy(logits, labels):
    shifted = logits.numpy() - logits.numpy().max(axis=1, keepdims=True)
    log_sum = np.log(np.exp(shifted).sum(axis=1))
    return log_sum - shifted[np.arange(len(shifted)), labels.numpy()]


# %% wheat: nll_loss
def row_cross_entropy(logits, labels):
    return F.nll_loss(F.log_softmax(logits, dim=1), labels, reduction="none")


# %% wheat: one_hot
def row_cross_entropy(logits, labels):
    targets = F.one_hot(labels, logits.shape[1]).to(logits.dtype)
    return F.cross_entropy(logits, targets, reduction="none")


# %% wheat: float32
def row_cross_entropy(logits, labels):
    return F.cross_entropy(logits.float(), labels, reduction="none")


# %% wheat: list_of_scalars
def row_cross_entropy(logits, labels):
    return [F.cross_entropy(row, label) for row, label in zip(logits, labels)]


# %% chaff: softmax_twice
# misconception: cross_entropy wants probabilities
# hint: F.cross_entropy applies log-softmax itself; give it logits.
def row_cross_entropy(logits, labels):
    return F.cross_entropy(logits.softmax(dim=1), labels, reduction="none")


# %% chaff: naive_exp
# misconception: exp/sum/log is fine
# hint: Try logits of 1000: exp overflows to inf. Use log_softmax or subtract the row maximum.
def row_cross_entropy(logits, labels):
    p = logits.exp() / logits.exp().sum(dim=1, keepdim=True)
    return -p[torch.arange(len(logits)), labels].log()


# %% chaff: no_minus
# misconception: log-likelihood = loss
# hint: A loss cannot be negative here; cross-entropy is MINUS the log-probability.
def row_cross_entropy(logits, labels):
    return logits.log_softmax(dim=1)[torch.arange(len(logits)), labels]


# %% chaff: softmax_dim0
# misconception: softmax over the batch
# hint: Each ROW is one classification problem, so probabilities must sum to 1 along the row.
def row_cross_entropy(logits, labels):
    return -logits.log_softmax(dim=0)[torch.arange(len(logits)), labels]


# %% chaff: diag_hardcoded
# misconception: the label is always the diagonal
# hint: Use the labels that you are given; they need not be 0, 1, 2, ...
def row_cross_entropy(logits, labels):
    return F.cross_entropy(logits, torch.arange(len(logits)), reduction="none")


# %% chaff: mean_reduced
# misconception: forgot reduction
# hint: Return one loss per row, shape (N,); the average comes later.
def row_cross_entropy(logits, labels):
    return F.cross_entropy(logits, labels)


# %% chaff: log_of_softmax
# misconception: softmax is safe with large logits, so its log is too
# hint: softmax rounds a tiny probability to 0, and log(0) is -inf; log_softmax never forms the probability.
def row_cross_entropy(logits, labels):
    return -logits.softmax(dim=1).log()[torch.arange(len(logits)), labels]


# %% chaff: epsilon_in_log
# misconception: a small constant inside the log makes it safe
# hint: log(p + 1e-8) cannot exceed 18.4, however wrong the row is; log_softmax needs no such constant.
def row_cross_entropy(logits, labels):
    return -(logits.softmax(dim=1)[torch.arange(len(logits)), labels] + 1e-8).log()


# %% chaff: log2
# misconception: any logarithm will do
# hint: Your losses are 1.44 times too large: that is the logarithm to base 2, cross-entropy takes the natural one.
def row_cross_entropy(logits, labels):
    return F.cross_entropy(logits, labels, reduction="none") / math.log(2)


# %% chaff: gather_wrong_axis
# misconception: labels select rows
# hint: A label names a COLUMN; logits[labels] picks whole rows. Take entry [i, labels[i]].
def row_cross_entropy(logits, labels):
    log_p = logits.log_softmax(dim=1)
    return -log_p[labels % len(logits), torch.arange(len(logits)) % logits.shape[1]]


# %% chaff: one_minus_p
# misconception: loss = 1 - probability
# hint: Your losses never exceed 1; cross-entropy is minus the LOG of the probability.
def row_cross_entropy(logits, labels):
    return 1 - logits.softmax(dim=1)[torch.arange(len(logits)), labels]


# %% chaff: scaled_inside
# misconception: the loss always brings its own temperature
# hint: The logits are already scaled; use them as they are.
def row_cross_entropy(logits, labels):
    return F.cross_entropy(logits / 0.07, labels, reduction="none")


# %% chaff: numpy_global_max
# misconception: one maximum for the whole matrix is enough
# hint: Subtract each row's own maximum; a row far below the largest logit of the matrix underflows to log(0).
def row_cross_entropy(logits, labels):
    shifted = logits.numpy() - logits.numpy().max()
    log_sum = np.log(np.maximum(np.exp(shifted).sum(axis=1), 1e-300))
    return log_sum - shifted[np.arange(len(shifted)), labels.numpy()]
