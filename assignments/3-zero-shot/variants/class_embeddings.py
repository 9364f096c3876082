"""Wheats and chaffs of class_embeddings: other correct solutions, and known mistakes."""

# %% wheat: loops
def class_embeddings(X):
    rows = []
    for prompts in X:
        total = torch.zeros_like(prompts[0])
        for prompt in prompts:
            total = total + prompt / (prompt * prompt).sum().sqrt()
        rows.append(total / (total * total).sum().sqrt())
    return torch.stack(rows)


# %% wheat: sum_instead_of_mean
def class_embeddings(X):
    return F.normalize(F.normalize(X, dim=-1).sum(dim=1), dim=-1)


# %% wheat: numpy
def class_embeddings(X):
    X = np.asarray(X)
    mean = (X / np.linalg.norm(X, axis=2, keepdims=True)).mean(axis=1)
    return mean / np.linalg.norm(mean, axis=1, keepdims=True)


# %% wheat: einsum
def class_embeddings(X):
    total = torch.einsum("ctd,ct->cd", X, 1 / X.norm(dim=2))
    return total / torch.einsum("cd,cd->c", total, total).sqrt()[:, None]


# %% wheat: float32
def class_embeddings(X):
    return F.normalize(F.normalize(X.float(), dim=2).mean(1), dim=1)


# %% wheat: python_lists
def class_embeddings(X):
    result = []
    for prompts in X.tolist():
        units = [[x / math.hypot(*prompt) for x in prompt] for prompt in prompts]
        mean = [sum(column) / len(units) for column in zip(*units)]
        result.append([x / math.hypot(*mean) for x in mean])
    return result


# %% chaff: mean_before_norm
# misconception: normalise once, at the end
# hint: A long template embedding dominates the average; normalize every template first.
def class_embeddings(X):
    return F.normalize(X.mean(dim=1), dim=-1)


# %% chaff: no_renorm
# misconception: the mean of unit vectors is a unit vector
# hint: The mean of unit vectors is SHORTER than 1; classes whose templates disagree would be penalized.
def class_embeddings(X):
    return F.normalize(X, dim=-1).mean(dim=1)


# %% chaff: no_norm_at_all
# misconception: just average
# hint: Print class_emb.norm(dim=-1): it should be 1 everywhere.
def class_embeddings(X):
    return X.mean(dim=1)


# %% chaff: mean_over_classes
# misconception: wrong axis
# hint: Average over templates (dim 1); the result has one row per CLASS.
def class_embeddings(X):
    return F.normalize(F.normalize(X, dim=-1).mean(dim=0), dim=-1)


# %% chaff: first_template_only
# misconception: no ensemble
# hint: Use all T templates.
def class_embeddings(X):
    return F.normalize(X[:, 0], dim=-1)


# %% chaff: max_pool
# misconception: max over templates
# hint: Ensembling averages embeddings.
def class_embeddings(X):
    return F.normalize(F.normalize(X, dim=-1).max(dim=1).values, dim=-1)


# %% chaff: norm_over_templates
# misconception: any dimension will do
# hint: A prompt is one vector of D numbers; normalize along the last dimension, not along the T prompts.
def class_embeddings(X):
    return F.normalize(F.normalize(X, dim=1).mean(dim=1), dim=-1)


# %% chaff: l1_norm
# misconception: any norm will do
# hint: Cosines use the Euclidean (L2) length; print the length of your result.
def class_embeddings(X):
    return F.normalize(F.normalize(X, p=1, dim=-1).mean(dim=1), dim=-1)


# %% chaff: renorm_over_classes
# misconception: normalise the columns
# hint: After the average each ROW should have length 1; you normalized columns, which mixes the classes.
def class_embeddings(X):
    return F.normalize(F.normalize(X, dim=-1).mean(dim=1), dim=0)


# %% chaff: in_place
# misconception: x /= n is harmless
# hint: You changed the caller's tensor; use X = X / n instead of X /= n.
def class_embeddings(X):
    X /= X.norm(dim=-1, keepdim=True)
    return F.normalize(X.mean(dim=1), dim=-1)


# %% chaff: median
# misconception: the middle prompt is the average
# hint: Ensembling takes the mean over the templates, so that each of them counts.
def class_embeddings(X):
    return F.normalize(F.normalize(X, dim=-1).median(dim=1).values, dim=-1)
