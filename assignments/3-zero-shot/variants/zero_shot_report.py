"""Wheats and chaffs of zero_shot_report: other correct solutions, and known mistakes."""


# %% wheat: count_first
def zero_shot_report(image_features, X, labels, probe_pred):
    unit = F.normalize(X, dim=-1)
    one, all_of_them = unit[:, 0], F.normalize(unit.mean(dim=1), dim=-1)
    right_one, right_all, right_probe = (
        int((pred == labels).sum())
        for pred in ((image_features @ one.T).argmax(1), (image_features @ all_of_them.T).argmax(1), probe_pred)
    )
    n, p = len(labels), 1 / len(X)
    return {
        "single": right_one / n,
        "ensemble": right_all / n,
        "probe": right_probe / n,
        "chance": p,
        "p_value": sum(math.comb(n, j) * p**j * (1 - p) ** (n - j) for j in range(right_all, n + 1)),
    }


# %% wheat: python_floats
def zero_shot_report(image_features, X, labels, probe_pred):
    def unit(vector):
        length = math.sqrt(sum(x * x for x in vector))
        return [x / length for x in vector]

    def accuracy(vectors):
        right = 0
        for image, label in zip(image_features.tolist(), labels.tolist()):
            scores = [sum(a * b for a, b in zip(image, vector)) for vector in vectors]
            right += scores.index(max(scores)) == label
        return right / len(labels)

    prompts = [[unit(prompt) for prompt in row] for row in X.tolist()]
    report = {
        "single": accuracy([row[0] for row in prompts]),
        "ensemble": accuracy([unit([sum(column) for column in zip(*row)]) for row in prompts]),
        "probe": sum(a == b for a, b in zip(probe_pred.tolist(), labels.tolist())) / len(labels),
        "chance": 1 / len(prompts),
    }
    n, p, k = len(labels), report["chance"], round(report["ensemble"] * len(labels))
    report["p_value"] = 1.0 - sum(math.comb(n, j) * p**j * (1 - p) ** (n - j) for j in range(k))
    return report


# %% wheat: tensors_and_numpy
def zero_shot_report(image_features, X, labels, probe_pred):
    K = F.normalize(F.normalize(X, dim=2).sum(dim=1), dim=1)
    images = F.normalize(image_features, dim=1)
    ensemble = (images @ K.T).softmax(dim=1).argmax(dim=1) == labels
    single = (images @ F.normalize(X[:, 0], dim=1).T).argmax(dim=1) == labels
    n, C, k = len(labels), X.shape[0], ensemble.sum().item()
    chances = np.array([math.comb(n, j) * (C - 1) ** (n - j) / C**n for j in range(n + 1)])
    return {
        "probe": np.mean(np.asarray(probe_pred) == np.asarray(labels)),
        "single": single.double().mean(),
        "ensemble": ensemble.double().mean(),
        "p_value": chances[k:].sum(),
        "chance": np.float64(1 / C),
    }


# %% chaff: chance_hardcoded
# misconception: chance is always 10 %
# hint: Chance is 1/C for C classes.
def zero_shot_report(image_features, X, labels, probe_pred):
    unit = F.normalize(X, dim=-1)
    one, all_of_them = unit[:, 0], F.normalize(unit.mean(dim=1), dim=-1)
    right_one, right_all, right_probe = (
        int((pred == labels).sum())
        for pred in ((image_features @ one.T).argmax(1), (image_features @ all_of_them.T).argmax(1), probe_pred)
    )
    n, p = len(labels), 0.1
    return {
        "single": right_one / n,
        "ensemble": right_all / n,
        "probe": right_probe / n,
        "chance": p,
        "p_value": sum(math.comb(n, j) * p**j * (1 - p) ** (n - j) for j in range(right_all, n + 1)),
    }


# %% chaff: p_of_probe
# misconception: p-value of the trained model
# hint: The claim under test is about the zero-shot predictions.
def zero_shot_report(image_features, X, labels, probe_pred):
    unit = F.normalize(X, dim=-1)
    one, all_of_them = unit[:, 0], F.normalize(unit.mean(dim=1), dim=-1)
    right_one, right_all, right_probe = (
        int((pred == labels).sum())
        for pred in ((image_features @ one.T).argmax(1), (image_features @ all_of_them.T).argmax(1), probe_pred)
    )
    n, p = len(labels), 1 / len(X)
    return {
        "single": right_one / n,
        "ensemble": right_all / n,
        "probe": right_probe / n,
        "chance": p,
        "p_value": sum(math.comb(n, j) * p**j * (1 - p) ** (n - j) for j in range(right_probe, n + 1)),
    }


# %% chaff: single_is_mean
# misconception: single = average
# hint: 'single' uses only template 0.
def zero_shot_report(image_features, X, labels, probe_pred):
    unit = F.normalize(X, dim=-1)
    one, all_of_them = unit[:, 0], F.normalize(unit.mean(dim=1), dim=-1)
    right_one, right_all, right_probe = (
        int((pred == labels).sum())
        for pred in ((image_features @ one.T).argmax(1), (image_features @ all_of_them.T).argmax(1), probe_pred)
    )
    n, p = len(labels), 1 / len(X)
    return {
        "single": sum(int(((image_features @ unit[:, t].T).argmax(1) == labels).sum()) for t in range(X.shape[1])) / X.shape[1] / n,
        "ensemble": right_all / n,
        "probe": right_probe / n,
        "chance": p,
        "p_value": sum(math.comb(n, j) * p**j * (1 - p) ** (n - j) for j in range(right_all, n + 1)),
    }


# %% chaff: accuracy_as_count
# misconception: percent used as count out of 100
# hint: n is the number of test images, not 100.
def zero_shot_report(image_features, X, labels, probe_pred):
    unit = F.normalize(X, dim=-1)
    one, all_of_them = unit[:, 0], F.normalize(unit.mean(dim=1), dim=-1)
    right_one, right_all, right_probe = (
        int((pred == labels).sum())
        for pred in ((image_features @ one.T).argmax(1), (image_features @ all_of_them.T).argmax(1), probe_pred)
    )
    n, p = len(labels), 1 / len(X)
    return {
        "single": right_one / n,
        "ensemble": right_all / n,
        "probe": right_probe / n,
        "chance": p,
        "p_value": sum(math.comb(n, j) * p**j * (1 - p) ** (n - j) for n in [100] for j in range(round(right_all / len(labels) * 100), n + 1)),
    }


# %% chaff: mean_before_norm
# misconception: normalise at the end
# hint: Normalize each template embedding first.
def zero_shot_report(image_features, X, labels, probe_pred):
    unit = F.normalize(X, dim=-1)
    one, all_of_them = unit[:, 0], F.normalize(X.mean(dim=1), dim=-1)
    right_one, right_all, right_probe = (
        int((pred == labels).sum())
        for pred in ((image_features @ one.T).argmax(1), (image_features @ all_of_them.T).argmax(1), probe_pred)
    )
    n, p = len(labels), 1 / len(X)
    return {
        "single": right_one / n,
        "ensemble": right_all / n,
        "probe": right_probe / n,
        "chance": p,
        "p_value": sum(math.comb(n, j) * p**j * (1 - p) ** (n - j) for j in range(right_all, n + 1)),
    }


# %% chaff: no_renorm
# misconception: the mean of unit vectors is a unit vector
# hint: Normalize the average again; classes whose templates disagree have a short one.
def zero_shot_report(image_features, X, labels, probe_pred):
    unit = F.normalize(X, dim=-1)
    one, all_of_them = unit[:, 0], unit.mean(dim=1)
    right_one, right_all, right_probe = (
        int((pred == labels).sum())
        for pred in ((image_features @ one.T).argmax(1), (image_features @ all_of_them.T).argmax(1), probe_pred)
    )
    n, p = len(labels), 1 / len(X)
    return {
        "single": right_one / n,
        "ensemble": right_all / n,
        "probe": right_probe / n,
        "chance": p,
        "p_value": sum(math.comb(n, j) * p**j * (1 - p) ** (n - j) for j in range(right_all, n + 1)),
    }


# %% chaff: single_not_normalised
# misconception: one template needs no norm
# hint: A long prompt wins too many images; template 0 needs length 1 too.
def zero_shot_report(image_features, X, labels, probe_pred):
    unit = F.normalize(X, dim=-1)
    one, all_of_them = X[:, 0], F.normalize(unit.mean(dim=1), dim=-1)
    right_one, right_all, right_probe = (
        int((pred == labels).sum())
        for pred in ((image_features @ one.T).argmax(1), (image_features @ all_of_them.T).argmax(1), probe_pred)
    )
    n, p = len(labels), 1 / len(X)
    return {
        "single": right_one / n,
        "ensemble": right_all / n,
        "probe": right_probe / n,
        "chance": p,
        "p_value": sum(math.comb(n, j) * p**j * (1 - p) ** (n - j) for j in range(right_all, n + 1)),
    }


# %% chaff: best_single
# misconception: report the best template
# hint: 'single' is template 0, whichever is best: choosing by the labels would be training.
def zero_shot_report(image_features, X, labels, probe_pred):
    unit = F.normalize(X, dim=-1)
    one, all_of_them = unit[:, 0], F.normalize(unit.mean(dim=1), dim=-1)
    right_one, right_all, right_probe = (
        int((pred == labels).sum())
        for pred in ((image_features @ one.T).argmax(1), (image_features @ all_of_them.T).argmax(1), probe_pred)
    )
    n, p = len(labels), 1 / len(X)
    return {
        "single": max(int(((image_features @ unit[:, t].T).argmax(1) == labels).sum()) for t in range(X.shape[1])) / n,
        "ensemble": right_all / n,
        "probe": right_probe / n,
        "chance": p,
        "p_value": sum(math.comb(n, j) * p**j * (1 - p) ** (n - j) for j in range(right_all, n + 1)),
    }


# %% chaff: last_template
# misconception: single = the last template
# hint: 'single' uses template 0.
def zero_shot_report(image_features, X, labels, probe_pred):
    unit = F.normalize(X, dim=-1)
    one, all_of_them = unit[:, -1], F.normalize(unit.mean(dim=1), dim=-1)
    right_one, right_all, right_probe = (
        int((pred == labels).sum())
        for pred in ((image_features @ one.T).argmax(1), (image_features @ all_of_them.T).argmax(1), probe_pred)
    )
    n, p = len(labels), 1 / len(X)
    return {
        "single": right_one / n,
        "ensemble": right_all / n,
        "probe": right_probe / n,
        "chance": p,
        "p_value": sum(math.comb(n, j) * p**j * (1 - p) ** (n - j) for j in range(right_all, n + 1)),
    }


# %% chaff: single_and_ensemble_swapped
# misconception: the ensemble is always better
# hint: Report each accuracy under its own name; the ensemble may be the worse one.
def zero_shot_report(image_features, X, labels, probe_pred):
    unit = F.normalize(X, dim=-1)
    one, all_of_them = unit[:, 0], F.normalize(unit.mean(dim=1), dim=-1)
    right_one, right_all, right_probe = (
        int((pred == labels).sum())
        for pred in ((image_features @ one.T).argmax(1), (image_features @ all_of_them.T).argmax(1), probe_pred)
    )
    n, p = len(labels), 1 / len(X)
    return {
        "single": min(right_one, right_all) / n,
        "ensemble": max(right_one, right_all) / n,
        "probe": right_probe / n,
        "chance": p,
        "p_value": sum(math.comb(n, j) * p**j * (1 - p) ** (n - j) for j in range(right_all, n + 1)),
    }


# %% chaff: p_of_single
# misconception: p-value of one template
# hint: The claim under test is about the ensemble.
def zero_shot_report(image_features, X, labels, probe_pred):
    unit = F.normalize(X, dim=-1)
    one, all_of_them = unit[:, 0], F.normalize(unit.mean(dim=1), dim=-1)
    right_one, right_all, right_probe = (
        int((pred == labels).sum())
        for pred in ((image_features @ one.T).argmax(1), (image_features @ all_of_them.T).argmax(1), probe_pred)
    )
    n, p = len(labels), 1 / len(X)
    return {
        "single": right_one / n,
        "ensemble": right_all / n,
        "probe": right_probe / n,
        "chance": p,
        "p_value": sum(math.comb(n, j) * p**j * (1 - p) ** (n - j) for j in range(right_one, n + 1)),
    }


# %% chaff: p_strictly_greater
# misconception: P(X > k)
# hint: 'At least as good' includes the count itself.
def zero_shot_report(image_features, X, labels, probe_pred):
    unit = F.normalize(X, dim=-1)
    one, all_of_them = unit[:, 0], F.normalize(unit.mean(dim=1), dim=-1)
    right_one, right_all, right_probe = (
        int((pred == labels).sum())
        for pred in ((image_features @ one.T).argmax(1), (image_features @ all_of_them.T).argmax(1), probe_pred)
    )
    n, p = len(labels), 1 / len(X)
    return {
        "single": right_one / n,
        "ensemble": right_all / n,
        "probe": right_probe / n,
        "chance": p,
        "p_value": sum(math.comb(n, j) * p**j * (1 - p) ** (n - j) for j in range(right_all + 1, n + 1)),
    }


# %% chaff: probe_agreement
# misconception: agreement with the probe
# hint: The probe's accuracy compares its predictions with the labels, not with yours.
def zero_shot_report(image_features, X, labels, probe_pred):
    unit = F.normalize(X, dim=-1)
    one, all_of_them = unit[:, 0], F.normalize(unit.mean(dim=1), dim=-1)
    right_one, right_all, right_probe = (
        int((pred == labels).sum())
        for pred in ((image_features @ one.T).argmax(1), (image_features @ all_of_them.T).argmax(1), probe_pred)
    )
    n, p = len(labels), 1 / len(X)
    return {
        "single": right_one / n,
        "ensemble": right_all / n,
        "probe": int(((image_features @ all_of_them.T).argmax(1) == probe_pred).sum()) / n,
        "chance": p,
        "p_value": sum(math.comb(n, j) * p**j * (1 - p) ** (n - j) for j in range(right_all, n + 1)),
    }


# %% chaff: percent
# misconception: percent
# hint: Return fractions in [0, 1].
def zero_shot_report(image_features, X, labels, probe_pred):
    unit = F.normalize(X, dim=-1)
    one, all_of_them = unit[:, 0], F.normalize(unit.mean(dim=1), dim=-1)
    right_one, right_all, right_probe = (
        int((pred == labels).sum())
        for pred in ((image_features @ one.T).argmax(1), (image_features @ all_of_them.T).argmax(1), probe_pred)
    )
    n, p = len(labels), 1 / len(X)
    return {
        "single": 100 * right_one / n,
        "ensemble": 100 * right_all / n,
        "probe": 100 * right_probe / n,
        "chance": p,
        "p_value": sum(math.comb(n, j) * p**j * (1 - p) ** (n - j) for j in range(right_all, n + 1)),
    }


# %% chaff: chance_of_templates
# misconception: wrong axis
# hint: A guesser picks among the C classes (the first dimension of X), not among the T templates.
def zero_shot_report(image_features, X, labels, probe_pred):
    unit = F.normalize(X, dim=-1)
    one, all_of_them = unit[:, 0], F.normalize(unit.mean(dim=1), dim=-1)
    right_one, right_all, right_probe = (
        int((pred == labels).sum())
        for pred in ((image_features @ one.T).argmax(1), (image_features @ all_of_them.T).argmax(1), probe_pred)
    )
    n, p = len(labels), 1 / X.shape[1]
    return {
        "single": right_one / n,
        "ensemble": right_all / n,
        "probe": right_probe / n,
        "chance": p,
        "p_value": sum(math.comb(n, j) * p**j * (1 - p) ** (n - j) for j in range(right_all, n + 1)),
    }
