"""Wheats and chaffs of similarity_5x5: other correct solutions, and known mistakes."""


# %% wheat: normalize_flag
def similarity_5x5(model, images, tokens):
    model.eval()
    with torch.no_grad():
        image_features = model.encode_image(images, normalize=True)
        text_features = model.encode_text(tokens, normalize=True)
    return image_features @ text_features.T


# %% wheat: forward
# The model's own forward pass normalizes.
@torch.no_grad()
def similarity_5x5(model, images, tokens):
    image_features, text_features, _ = model.eval()(images, tokens)
    return image_features @ text_features.T


# %% wheat: inference_mode
@torch.inference_mode()
def similarity_5x5(model, images, tokens):
    model.eval()
    image_features, text_features = model.encode_image(images), model.encode_text(tokens)
    return F.cosine_similarity(image_features[:, None], text_features[None], dim=-1).clone()


# %% wheat: mode_restored
def similarity_5x5(model, images, tokens):
    was_training = model.training
    model.eval()
    with torch.no_grad():
        image_features = model.encode_image(images)
        text_features = model.encode_text(tokens)
    model.train(was_training)
    image_features = image_features / image_features.norm(dim=-1, keepdim=True)
    text_features = text_features / text_features.norm(dim=-1, keepdim=True)
    return image_features @ text_features.T


# %% wheat: train_false
def similarity_5x5(model, images, tokens):
    model.train(False)
    with torch.no_grad():
        return F.normalize(model.encode_image(images), dim=1) @ F.normalize(model.encode_text(tokens), dim=1).t()


# %% wheat: detached
# The graph is built and thrown away: slower, but what is returned carries none.
def similarity_5x5(model, images, tokens):
    model.eval()
    image_features = model.encode_image(images, normalize=True).detach()
    text_features = model.encode_text(tokens, normalize=True).detach()
    return image_features @ text_features.T


# %% wheat: numpy_float64
def similarity_5x5(model, images, tokens):
    model.eval()
    with torch.no_grad():
        I = model.encode_image(images).numpy().astype(np.float64)
        T = model.encode_text(tokens).numpy().astype(np.float64)
    return I @ T.T / np.outer(np.linalg.norm(I, axis=1), np.linalg.norm(T, axis=1))


# %% wheat: one_at_a_time
def similarity_5x5(model, images, tokens):
    model.eval()
    with torch.no_grad():
        rows = [model.encode_image(image[None], normalize=True)[0] for image in images]
        columns = [model.encode_text(text[None], normalize=True)[0] for text in tokens]
    return [[float(row @ column) for column in columns] for row in rows]


# %% wheat: from_logits
# Dividing the logits by exp(tau) gives the cosines back.
def similarity_5x5(model, images, tokens):
    model.eval()
    with torch.no_grad():
        image_features, text_features, scale = model(images, tokens)
        return (scale * image_features @ text_features.T) / model.logit_scale.exp()


# %% chaff: no_norm
# misconception: encode_* returns unit vectors
# hint: encode_image() does not normalize unless you ask (normalize=True).
def similarity_5x5(model, images, tokens):
    model.eval()
    with torch.no_grad():
        return model.encode_image(images) @ model.encode_text(tokens).T


# %% chaff: one_side
# misconception: normalizing images is enough
# hint: encode_text() does not normalize either; both sides need unit length.
def similarity_5x5(model, images, tokens):
    model.eval()
    with torch.no_grad():
        return model.encode_image(images, normalize=True) @ model.encode_text(tokens).T


# %% chaff: norm_dim0
# misconception: normalize each feature over the batch
# hint: Normalize each row (one image), dim=-1; over the batch, an image's vector depends on the other images.
def similarity_5x5(model, images, tokens):
    model.eval()
    with torch.no_grad():
        image_features = F.normalize(model.encode_image(images), dim=0)
        text_features = F.normalize(model.encode_text(tokens), dim=0)
    return image_features @ text_features.T


# %% chaff: logits_not_cos
# misconception: logits = similarities
# hint: Divide out exp(logit_scale): a cosine is at most 1.
def similarity_5x5(model, images, tokens):
    model.eval()
    with torch.no_grad():
        image_features, text_features, scale = model(images, tokens)
        return scale * image_features @ text_features.T


# %% chaff: times_tau
# misconception: tau belongs to a cosine
# hint: You multiply by logit_scale; the bare cosine is asked for.
def similarity_5x5(model, images, tokens):
    model.eval()
    with torch.no_grad():
        cosines = model.encode_image(images, normalize=True) @ model.encode_text(tokens, normalize=True).T
        return model.logit_scale * cosines


# %% chaff: softmax
# misconception: probabilities = similarities
# hint: Rows of a cosine matrix do not sum to 1.
def similarity_5x5(model, images, tokens):
    model.eval()
    with torch.no_grad():
        image_features, text_features, scale = model(images, tokens)
        return (scale * image_features @ text_features.T).softmax(dim=-1)


# %% chaff: softmax_of_cosines
# misconception: softmax turns similarities into better similarities
# hint: Your rows sum to 1; return the cosines as they are.
def similarity_5x5(model, images, tokens):
    model.eval()
    with torch.no_grad():
        cosines = model.encode_image(images, normalize=True) @ model.encode_text(tokens, normalize=True).T
        return F.softmax(cosines, dim=-1)


# %% chaff: transposed
# misconception: row/column convention
# hint: Images are rows.
def similarity_5x5(model, images, tokens):
    model.eval()
    with torch.no_grad():
        return model.encode_text(tokens, normalize=True) @ model.encode_image(images, normalize=True).T


# %% chaff: grad_kept
# misconception: inference builds a graph
# hint: Wrap inference in torch.no_grad().
def similarity_5x5(model, images, tokens):
    model.eval()
    return model.encode_image(images, normalize=True) @ model.encode_text(tokens, normalize=True).T


# %% chaff: no_grad_for_images_only
# misconception: only the images have a graph
# hint: The text encoder has weights, too: put both calls under torch.no_grad().
def similarity_5x5(model, images, tokens):
    model.eval()
    with torch.no_grad():
        image_features = model.encode_image(images, normalize=True)
    text_features = model.encode_text(tokens, normalize=True)
    return image_features @ text_features.T


# %% chaff: eval_means_no_grad
# misconception: eval() turns gradients off
# hint: eval() changes how some layers compute; only torch.no_grad() stops the recording for gradients.
def similarity_5x5(model, images, tokens):
    model = model.eval()
    image_features = F.normalize(model.encode_image(images), dim=-1)
    text_features = F.normalize(model.encode_text(tokens), dim=-1)
    return image_features @ text_features.T


# %% chaff: train_mode
# misconception: forgot model.eval()
# hint: BatchNorm uses the batch's own statistics in train mode; call model.eval() first.
def similarity_5x5(model, images, tokens):
    with torch.no_grad():
        image_features = model.encode_image(images, normalize=True)
        text_features = model.encode_text(tokens, normalize=True)
    return image_features @ text_features.T


# %% chaff: no_grad_means_eval
# misconception: no_grad() switches to evaluation
# hint: no_grad() stops the recording for gradients; batch normalization still uses the batch's own statistics.
@torch.no_grad()
def similarity_5x5(model, images, tokens):
    image_features = F.normalize(model.encode_image(images), dim=-1)
    text_features = F.normalize(model.encode_text(tokens), dim=-1)
    return image_features @ text_features.T


# %% chaff: eval_too_late
# misconception: the mode matters when the result is used
# hint: Call model.eval() before the encoders run, not after.
def similarity_5x5(model, images, tokens):
    with torch.no_grad():
        image_features = model.encode_image(images, normalize=True)
        text_features = model.encode_text(tokens, normalize=True)
    model.eval()
    return image_features @ text_features.T


# %% chaff: eval_not_called
# misconception: naming a method runs it
# hint: model.eval without parentheses does nothing.
def similarity_5x5(model, images, tokens):
    model.eval
    with torch.no_grad():
        return model.encode_image(images, normalize=True) @ model.encode_text(tokens, normalize=True).T


# %% chaff: distance
# misconception: cosine distance = cosine similarity
# hint: The nearest caption should have the largest entry; you return 1 minus the cosine.
def similarity_5x5(model, images, tokens):
    model.eval()
    with torch.no_grad():
        return 1 - model.encode_image(images, normalize=True) @ model.encode_text(tokens, normalize=True).T


# %% chaff: centered
# misconception: cosine similarity = correlation
# hint: You subtract the mean of the batch first; a cosine measures angles from the origin.
def similarity_5x5(model, images, tokens):
    model.eval()
    with torch.no_grad():
        image_features, text_features = model.encode_image(images), model.encode_text(tokens)
    image_features = F.normalize(image_features - image_features.mean(dim=0), dim=-1)
    text_features = F.normalize(text_features - text_features.mean(dim=0), dim=-1)
    return image_features @ text_features.T


# %% chaff: rounded
# misconception: two digits are enough
# hint: Round when you print, not when you compute: the cosines are compared to within 0.0001.
def similarity_5x5(model, images, tokens):
    model.eval()
    with torch.no_grad():
        cosines = model.encode_image(images, normalize=True) @ model.encode_text(tokens, normalize=True).T
    return (100 * cosines).round() / 100


# %% chaff: matches_only
# misconception: only the matches are asked for
# hint: Every image with every text: a matrix with N x M entries, not one cosine a pair.
def similarity_5x5(model, images, tokens):
    model.eval()
    with torch.no_grad():
        n = min(len(images), len(tokens))
        return F.cosine_similarity(model.encode_image(images)[:n], model.encode_text(tokens)[:n], dim=-1)


# %% chaff: five_hard_coded
# misconception: there are always five
# hint: Take the counts from the arguments; you only handle the first five.
def similarity_5x5(model, images, tokens):
    model.eval()
    S = torch.zeros(5, 5)
    with torch.no_grad():
        image_features = model.encode_image(images, normalize=True)
        text_features = model.encode_text(tokens, normalize=True)
    for i in range(5):
        for j in range(5):
            S[i, j] = image_features[i] @ text_features[j]
    return S
