"""Wheats and chaffs of batch_facts: other correct solutions, and known mistakes."""


# %% wheat: matrix
# One row of the n x n matrix stands for all: the whole of it would not fit into memory at 32,768.
def batch_facts(n):
    row = torch.arange(n) == 0
    per_image = (~row).sum()
    chance = row.double().mean()
    return {
        "negatives_per_image": int(per_image),
        "negatives_total": int(per_image) * n,
        "chance_accuracy": float(chance),
        "chance_loss": float(F.cross_entropy(torch.zeros(1, n, dtype=torch.float64), torch.tensor([0]))),
    }


# %% wheat: numpy
def batch_facts(n):
    n = np.int64(n)
    return dict(
        negatives_per_image=n - 1,
        negatives_total=n**2 - n,
        chance_accuracy=np.float64(1) / n,
        chance_loss=np.log(n),
    )


# %% wheat: tensors
def batch_facts(n):
    chance = torch.tensor(1.0, dtype=torch.float64) / n
    return {
        "chance_loss": -chance.log(),
        "chance_accuracy": chance,
        "negatives_total": torch.tensor(n * n - n),
        "negatives_per_image": torch.tensor(n - 1),
    }


# %% wheat: float32
def batch_facts(n):
    return {
        "negatives_per_image": n - 1,
        "negatives_total": n * (n - 1),
        "chance_accuracy": np.float32(1 / n),
        "chance_loss": np.float32(math.log(n)),
    }


# %% chaff: n_negatives
# misconception: counts itself
# hint: One of the n captions is the match.
def batch_facts(n):
    return {
        "negatives_per_image": n,
        "negatives_total": n * (n - 1),
        "chance_accuracy": 1 / n,
        "chance_loss": math.log(n),
    }


# %% chaff: n_squared
# misconception: all entries are negatives
# hint: The n diagonal entries are positives.
def batch_facts(n):
    return {
        "negatives_per_image": n - 1,
        "negatives_total": n * n,
        "chance_accuracy": 1 / n,
        "chance_loss": math.log(n),
    }


# %% chaff: double
# misconception: counts both directions
# hint: Rows and columns read the SAME entries twice; count entries.
def batch_facts(n):
    return {
        "negatives_per_image": n - 1,
        "negatives_total": 2 * n * (n - 1),
        "chance_accuracy": 1 / n,
        "chance_loss": math.log(n),
    }


# %% chaff: chance_1_over_negatives
# misconception: 1/(N-1)
# hint: A blind guess picks among n captions, including the right one.
def batch_facts(n):
    return {
        "negatives_per_image": n - 1,
        "negatives_total": n * (n - 1),
        "chance_accuracy": 1 / (n - 1),
        "chance_loss": math.log(n),
    }


# %% chaff: chance_half
# misconception: match / no match is a coin flip
# hint: It is an n-way choice, not a yes/no question.
def batch_facts(n):
    return {
        "negatives_per_image": n - 1,
        "negatives_total": n * (n - 1),
        "chance_accuracy": 0.5,
        "chance_loss": math.log(n),
    }


# %% chaff: pairs
# misconception: S[i, j] and S[j, i] are the same pair
# hint: Image i with text j and image j with text i are two different entries; you count them as one.
def batch_facts(n):
    return {
        "negatives_per_image": n - 1,
        "negatives_total": n * (n - 1) // 2,
        "chance_accuracy": 1 / n,
        "chance_loss": math.log(n),
    }


# %% chaff: log2_loss
# misconception: any logarithm will do
# hint: Cross-entropy takes the natural logarithm; yours is to base 2.
def batch_facts(n):
    return {
        "negatives_per_image": n - 1,
        "negatives_total": n * (n - 1),
        "chance_accuracy": 1 / n,
        "chance_loss": math.log2(n),
    }


# %% chaff: log_of_negatives
# misconception: the softmax runs over the negatives only
# hint: The match is one of the n terms of the softmax too, so its share of equal logits is 1/n.
def batch_facts(n):
    return {
        "negatives_per_image": n - 1,
        "negatives_total": n * (n - 1),
        "chance_accuracy": 1 / n,
        "chance_loss": math.log(n - 1),
    }


# %% chaff: percent
# misconception: percent
# hint: Return the chance as a fraction between 0 and 1, not in percent.
def batch_facts(n):
    return {
        "negatives_per_image": n - 1,
        "negatives_total": n * (n - 1),
        "chance_accuracy": 100 / n,
        "chance_loss": math.log(n),
    }


# %% chaff: one_minus_chance
# misconception: the loss is the error rate
# hint: The loss of a row is minus the LOG of the probability of its match, not 1 minus it.
def batch_facts(n):
    return {
        "negatives_per_image": n - 1,
        "negatives_total": n * (n - 1),
        "chance_accuracy": 1 / n,
        "chance_loss": 1 - 1 / n,
    }


# %% chaff: numpy_int16
# misconception: an integer holds any count
# hint: Computed in 16 bits, the count overflows for large n; use Python's own integers or int64.
def batch_facts(n):
    total = np.arange(1, dtype=np.int16) + np.int64(n * (n - 1)).astype(np.int16)
    return {
        "negatives_per_image": n - 1,
        "negatives_total": int(total[0]),
        "chance_accuracy": 1 / n,
        "chance_loss": math.log(n),
    }
