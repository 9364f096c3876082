"""Wheats and chaffs of zero_shot_predict: other correct solutions, and known mistakes."""

# %% wheat: images_not_normalised
# A factor common to a whole row cannot change its largest entry.
def zero_shot_predict(image_features, class_features, labels):
    pred = (image_features @ F.normalize(class_features, dim=-1).T).argmax(dim=-1)
    return {"pred": pred, "accuracy": float((pred == labels).float().mean())}


# %% wheat: softmax_first
def zero_shot_predict(image_features, class_features, labels):
    cosines = F.normalize(image_features, dim=-1) @ F.normalize(class_features, dim=-1).T
    pred = (100 * cosines).softmax(dim=-1).argmax(dim=-1)
    return {"accuracy": (pred == labels).double().mean(), "pred": pred}


# %% wheat: numpy
def zero_shot_predict(image_features, class_features, labels):
    I, K = np.asarray(image_features), np.asarray(class_features)
    pred = (I @ (K / np.linalg.norm(K, axis=1, keepdims=True)).T).argmax(axis=1)
    return {"pred": pred, "accuracy": np.mean(pred == np.asarray(labels))}


# %% wheat: loops
def zero_shot_predict(image_features, class_features, labels):
    pred, right = [], 0
    for image, label in zip(image_features, labels):
        cosines = [float(F.cosine_similarity(image, one, dim=0)) for one in class_features]
        pred.append(cosines.index(max(cosines)))
        right += pred[-1] == int(label)
    return {"pred": pred, "accuracy": right / len(pred)}


# %% wheat: nearest_unit_vector
# Among unit vectors the largest cosine is the smallest distance.
def zero_shot_predict(image_features, class_features, labels):
    distance = torch.cdist(F.normalize(image_features, dim=1), F.normalize(class_features, dim=1))
    pred = distance.min(dim=1).indices
    return {"pred": pred.to(torch.int32), "accuracy": torch.sum(pred == labels) / len(labels)}


# %% chaff: class_not_normalised
# misconception: only images need norm
# hint: The class with the longest embedding wins too often; normalize the classes.
def zero_shot_predict(image_features, class_features, labels):
    pred = (F.normalize(image_features, dim=-1) @ class_features.T).argmax(dim=1)
    return {"pred": pred, "accuracy": (pred == labels).double().mean().item()}


# %% chaff: argmax_dim0
# misconception: wrong axis
# hint: One prediction per IMAGE: argmax over classes.
def zero_shot_predict(image_features, class_features, labels):
    scores = F.normalize(image_features, dim=-1) @ F.normalize(class_features, dim=-1).T
    pred = scores.argmax(dim=0)
    right = sum(int(p == label) for p, label in zip(pred, labels))
    return {"pred": pred, "accuracy": right / len(labels)}


# %% chaff: argmin
# misconception: distance thinking
# hint: A larger cosine is a better match.
def zero_shot_predict(image_features, class_features, labels):
    pred = (F.normalize(image_features, dim=-1) @ F.normalize(class_features, dim=-1).T).argmin(dim=1)
    return {"pred": pred, "accuracy": (pred == labels).double().mean().item()}


# %% chaff: percent
# misconception: percent
# hint: Return a fraction in [0, 1].
def zero_shot_predict(image_features, class_features, labels):
    pred = (F.normalize(image_features, dim=-1) @ F.normalize(class_features, dim=-1).T).argmax(dim=1)
    return {"pred": pred, "accuracy": 100 * (pred == labels).double().mean().item()}


# %% chaff: count
# misconception: count
# hint: Divide by the number of images.
def zero_shot_predict(image_features, class_features, labels):
    pred = (F.normalize(image_features, dim=-1) @ F.normalize(class_features, dim=-1).T).argmax(dim=1)
    return {"pred": pred, "accuracy": int((pred == labels).sum())}


# %% chaff: all_same_batch_softmax
# misconception: softmax over images
# hint: Softmax over classes (dim=-1); over images the prediction depends on the rest of the batch.
def zero_shot_predict(image_features, class_features, labels):
    cosines = F.normalize(image_features, dim=-1) @ F.normalize(class_features, dim=-1).T
    pred = (10 * cosines).softmax(dim=0).argmax(dim=1)
    return {"pred": pred, "accuracy": (pred == labels).double().mean().item()}


# %% chaff: diagonal_labels
# misconception: image i belongs to class i, as in a training batch
# hint: In a batch of pairs image i matched text i. Here each image has the label that you are given.
def zero_shot_predict(image_features, class_features, labels):
    pred = (F.normalize(image_features, dim=-1) @ F.normalize(class_features, dim=-1).T).argmax(dim=1)
    return {"pred": pred, "accuracy": (pred == torch.arange(len(pred))).double().mean().item()}


# %% chaff: scores_not_indices
# misconception: max and argmax are the same
# hint: `pred` says WHICH class has the largest cosine, not how large it is.
def zero_shot_predict(image_features, class_features, labels):
    best = (F.normalize(image_features, dim=-1) @ F.normalize(class_features, dim=-1).T).max(dim=1)
    return {"pred": best.values, "accuracy": (best.indices == labels).double().mean().item()}


# %% chaff: divided_by_classes
# misconception: a fraction of the classes
# hint: Accuracy is a fraction of the images; divide by N, not by C.
def zero_shot_predict(image_features, class_features, labels):
    pred = (F.normalize(image_features, dim=-1) @ F.normalize(class_features, dim=-1).T).argmax(dim=1)
    return {"pred": pred, "accuracy": int((pred == labels).sum()) / len(class_features)}


# %% chaff: error_rate
# misconception: error rate
# hint: Accuracy counts the images that are right.
def zero_shot_predict(image_features, class_features, labels):
    pred = (F.normalize(image_features, dim=-1) @ F.normalize(class_features, dim=-1).T).argmax(dim=1)
    return {"pred": pred, "accuracy": (pred != labels).double().mean().item()}


# %% chaff: norm_dim0
# misconception: normalise over the batch
# hint: Normalize each ROW (one class), dim=-1, not each column.
def zero_shot_predict(image_features, class_features, labels):
    pred = (F.normalize(image_features, dim=-1) @ F.normalize(class_features, dim=0).T).argmax(dim=1)
    return {"pred": pred, "accuracy": (pred == labels).double().mean().item()}
