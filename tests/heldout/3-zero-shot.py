# As in the file of assignment 1.

# %% build_prompts upper_case
# breaks: the prompts of each class / 3 classes and 2 templates / put in as it is
def build_prompts(classes, templates):
    return [[template.format(name).upper() for template in templates] for name in classes]


# %% build_prompts with_period
# breaks: the prompts of each class / 3 classes and 2 templates
def build_prompts(classes, templates):
    return [[template.format(name) + "." for template in templates] for name in classes]


# %% class_embeddings min_pool
# breaks: two prompts in different directions / lengths differ up to fifty-fold / all prompts of a class count
def class_embeddings(X):
    return F.normalize(F.normalize(X, dim=-1).min(dim=1).values, dim=-1)


# %% class_embeddings first_two
# breaks: all prompts of a class count / fifty-fold
def class_embeddings(X):
    return F.normalize(F.normalize(X[:, :2], dim=-1).mean(dim=1), dim=-1)


# %% p_value one_minus_tail
# breaks: at least 0 right is certain / 10 images / by hand
def p_value(k, n, classes):
    hit = 1 / classes
    return 1 - sum(math.comb(n, j) * hit**j * (1 - hit) ** (n - j) for j in range(k, n + 1))


# %% p_value doubled
# breaks: at least 0 right is certain / 10 images / by hand
def p_value(k, n, classes):
    hit = 1 / classes
    return 2 * sum(math.comb(n, j) * hit**j * (1 - hit) ** (n - j) for j in range(k, n + 1))


# %% zero_shot_predict second_best
# breaks: worked by hand / the predictions / alone as among others
def zero_shot_predict(image_features, class_features, labels):
    S = F.normalize(image_features, dim=-1) @ F.normalize(class_features, dim=-1).T
    pred = S.argsort(dim=1, descending=True)[:, 1]
    return {"pred": pred, "accuracy": (pred == labels).double().mean().item()}


# %% class_embeddings no_renorm
# twin: no_renorm
def class_embeddings(X):
    X = X.numpy()
    return (X / np.linalg.norm(X, axis=-1, keepdims=True)).mean(axis=1)


# %% p_value strictly_greater
# twin: strictly_greater
def p_value(k, n, classes):
    right = [math.comb(n, j) * (classes - 1) ** (n - j) / classes**n for j in range(n + 1)]
    return sum(right[k + 1 :])
