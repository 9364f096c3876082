"""Wheats and chaffs of clip_loss: other correct solutions, and known mistakes.

Three cells call it (clip_loss, clip_loss_symmetry, clip_loss_gradients); a chaff loses marks in at least one of them.
"""

# %% wheat: openclip_ClipLoss
from open_clip.loss import ClipLoss


def clip_loss(image_features, text_features, tau):
    images, texts = F.normalize(image_features, dim=-1), F.normalize(text_features, dim=-1)
    return ClipLoss()(images, texts, tau.exp())


# %% wheat: log_softmax_dims
def clip_loss(image_features, text_features, tau):
    images = image_features / image_features.norm(dim=1, keepdim=True)
    texts = text_features / text_features.norm(dim=1, keepdim=True)
    logits = torch.exp(tau) * (images @ texts.T)
    return -(logits.log_softmax(dim=0) + logits.log_softmax(dim=1)).diagonal().mean() / 2


# %% wheat: einsum_onehot
def clip_loss(image_features, text_features, tau):
    logits = torch.einsum("id,jd->ij", F.normalize(image_features), F.normalize(text_features)) * torch.e**tau
    targets = torch.eye(len(logits), dtype=logits.dtype)
    return 0.5 * F.cross_entropy(logits, targets) + 0.5 * F.cross_entropy(logits.mT, targets)


# %% wheat: numpy_value_only
# The value comes from numpy. Where a gradient is asked for, numpy cannot give one, and a torch path takes over.
def clip_loss(image_features, text_features, tau):
    if image_features.requires_grad or text_features.requires_grad or tau.requires_grad:
        logits = tau.exp() * F.normalize(image_features, dim=1) @ F.normalize(text_features, dim=1).T
        return (logits.logsumexp(0) + logits.logsumexp(1) - 2 * logits.diagonal()).mean() / 2
    images, texts = image_features.numpy(), text_features.numpy()
    lengths = np.linalg.norm(images, axis=1)[:, None] * np.linalg.norm(texts, axis=1)[None, :]
    logits = np.exp(tau.item()) * images @ texts.T / lengths
    rows = np.logaddexp.reduce(logits, axis=1) - np.diag(logits)
    columns = np.logaddexp.reduce(logits, axis=0) - np.diag(logits)
    return (rows.mean() + columns.mean()) / 2


# %% wheat: cosine_broadcast
def clip_loss(image_features, text_features, tau):
    logits = tau.exp() * F.cosine_similarity(image_features[:, None], text_features[None], dim=-1)
    labels = torch.arange(len(logits))
    return torch.stack([F.cross_entropy(logits, labels), F.cross_entropy(logits.T, labels)]).mean()


# %% wheat: float32
def clip_loss(image_features, text_features, tau):
    images, texts = F.normalize(image_features.float(), dim=1), F.normalize(text_features.float(), dim=1)
    logits = tau.float().exp() * images @ texts.T
    labels = torch.arange(len(logits))
    return (F.cross_entropy(logits, labels) + F.cross_entropy(logits.T, labels)) / 2


# %% chaff: no_norm
# misconception: dot = cosine
# hint: Scale all image features by 10: the loss must not change.
def clip_loss(image_features, text_features, tau):
    logits = tau.exp() * image_features @ text_features.T
    labels = torch.arange(len(logits))
    return (F.cross_entropy(logits, labels) + F.cross_entropy(logits.T, labels)) / 2


# %% chaff: norm_dim0
# misconception: normalize over the batch
# hint: Normalise each row (one example), dim=-1.
def clip_loss(image_features, text_features, tau):
    logits = tau.exp() * F.normalize(image_features, dim=0) @ F.normalize(text_features, dim=0).T
    labels = torch.arange(len(logits))
    return (F.cross_entropy(logits, labels) + F.cross_entropy(logits.T, labels)) / 2


# %% chaff: one_side_norm
# misconception: images only
# hint: Both sides need unit length.
def clip_loss(image_features, text_features, tau):
    logits = tau.exp() * F.normalize(image_features, dim=-1) @ text_features.T
    labels = torch.arange(len(logits))
    return (F.cross_entropy(logits, labels) + F.cross_entropy(logits.T, labels)) / 2


# %% chaff: divide_exp_tau
# misconception: tau is a temperature (LM convention)
# hint: In language models you DIVIDE by a temperature; here exp(tau) MULTIPLIES, so larger tau is sharper.
def clip_loss(image_features, text_features, tau):
    logits = F.normalize(image_features, dim=-1) @ F.normalize(text_features, dim=-1).T / tau.exp()
    labels = torch.arange(len(logits))
    return (F.cross_entropy(logits, labels) + F.cross_entropy(logits.T, labels)) / 2


# %% chaff: no_tau
# misconception: temperature is optional
# hint: With bare cosines the logits span only [-1, 1], so even perfect pairs keep a large loss.
def clip_loss(image_features, text_features, tau):
    logits = F.normalize(image_features, dim=-1) @ F.normalize(text_features, dim=-1).T
    labels = torch.arange(len(logits))
    return (F.cross_entropy(logits, labels) + F.cross_entropy(logits.T, labels)) / 2


# %% chaff: tau_hardcoded
# misconception: 0.07 from the paper
# hint: Use the tau that is passed in; it is learned.
def clip_loss(image_features, text_features, tau):
    logits = F.normalize(image_features, dim=-1) @ F.normalize(text_features, dim=-1).T / 0.07
    labels = torch.arange(len(logits))
    return (F.cross_entropy(logits, labels) + F.cross_entropy(logits.T, labels)) / 2


# %% chaff: rows_only
# misconception: one direction is enough
# hint: Swap images and texts: a symmetric loss must not change.
def clip_loss(image_features, text_features, tau):
    logits = tau.exp() * F.normalize(image_features, dim=-1) @ F.normalize(text_features, dim=-1).T
    return F.cross_entropy(logits, torch.arange(len(logits)))


# %% chaff: summed_not_halved
# misconception: forgot 1/2
# hint: With all-equal logits the loss should be ln N; yours is 2 ln N.
def clip_loss(image_features, text_features, tau):
    logits = tau.exp() * F.normalize(image_features, dim=-1) @ F.normalize(text_features, dim=-1).T
    labels = torch.arange(len(logits))
    return F.cross_entropy(logits, labels) + F.cross_entropy(logits.T, labels)


# %% chaff: softmax_first
# misconception: cross_entropy wants probabilities
# hint: cross_entropy already contains log-softmax; pass logits.
def clip_loss(image_features, text_features, tau):
    logits = tau.exp() * F.normalize(image_features, dim=-1) @ F.normalize(text_features, dim=-1).T
    labels = torch.arange(len(logits))
    return (F.cross_entropy(logits.softmax(dim=1), labels) + F.cross_entropy(logits.T.softmax(dim=1), labels)) / 2


# %% chaff: labels_zero
# misconception: match = class 0
# hint: Image i matches text i.
def clip_loss(image_features, text_features, tau):
    logits = tau.exp() * F.normalize(image_features, dim=-1) @ F.normalize(text_features, dim=-1).T
    labels = torch.zeros(len(logits), dtype=torch.long)
    return (F.cross_entropy(logits, labels) + F.cross_entropy(logits.T, labels)) / 2


# %% chaff: positives_only
# misconception: only pull matches together
# hint: Nothing pushes non-matches apart: mapping everything to one point would give loss 0.
def clip_loss(image_features, text_features, tau):
    cosines = (F.normalize(image_features, dim=-1) * F.normalize(text_features, dim=-1)).sum(dim=-1)
    return tau.exp() * (1 - cosines).mean()


# %% chaff: detached
# misconception: .item() inside the loss
# hint: The value is right but no gradient reaches tau; keep tensors, no .item()/.detach()/.data.
def clip_loss(image_features, text_features, tau):
    logits = math.exp(tau.item()) * F.normalize(image_features, dim=-1) @ F.normalize(text_features, dim=-1).T
    labels = torch.arange(len(logits))
    return (F.cross_entropy(logits, labels) + F.cross_entropy(logits.T, labels)) / 2


# %% chaff: no_grad
# misconception: the loss needs no graph
# hint: Your loss carries no graph, so training cannot change anything: use torch, without torch.no_grad(), .item() or numpy.
def clip_loss(image_features, text_features, tau):
    with torch.no_grad():
        logits = tau.exp() * F.normalize(image_features, dim=-1) @ F.normalize(text_features, dim=-1).T
        labels = torch.arange(len(logits))
        return (F.cross_entropy(logits, labels) + F.cross_entropy(logits.T, labels)) / 2


# %% chaff: detached_texts
# misconception: the text encoder is only the target
# hint: Both encoders learn: detaching the texts keeps every gradient from them.
def clip_loss(image_features, text_features, tau):
    logits = tau.exp() * F.normalize(image_features, dim=-1) @ F.normalize(text_features, dim=-1).detach().T
    labels = torch.arange(len(logits))
    return (F.cross_entropy(logits, labels) + F.cross_entropy(logits.T, labels)) / 2


# %% chaff: numpy_only
# misconception: the value is all that counts
# hint: Your loss carries no graph, so training cannot change anything: use torch, without torch.no_grad(), .item() or numpy.
def clip_loss(image_features, text_features, tau):
    images, texts = image_features.detach().numpy(), text_features.detach().numpy()
    lengths = np.outer(np.linalg.norm(images, axis=1), np.linalg.norm(texts, axis=1))
    logits = np.exp(tau.item()) * images @ texts.T / lengths
    both = np.logaddexp.reduce(logits, axis=1) + np.logaddexp.reduce(logits, axis=0)
    return (both / 2 - np.diag(logits)).mean()


# %% chaff: detached_norm
# misconception: a length is just a number
# hint: The value is right, but lengths that are detached bend the gradient; divide by x.norm() with its history.
def clip_loss(image_features, text_features, tau):
    images = image_features / image_features.norm(dim=-1, keepdim=True).detach()
    texts = text_features / text_features.norm(dim=-1, keepdim=True).detach()
    logits = tau.exp() * images @ texts.T
    labels = torch.arange(len(logits))
    return (F.cross_entropy(logits, labels) + F.cross_entropy(logits.T, labels)) / 2


# %% chaff: tau_not_exponentiated
# misconception: tau is the scale itself
# hint: tau is the LOGARITHM of the scale (it can be negative); multiply by exp(tau).
def clip_loss(image_features, text_features, tau):
    logits = tau * F.normalize(image_features, dim=-1) @ F.normalize(text_features, dim=-1).T
    labels = torch.arange(len(logits))
    return (F.cross_entropy(logits, labels) + F.cross_entropy(logits.T, labels)) / 2


# %% chaff: exp_on_both_sides
# misconception: each side gets its own scale
# hint: Multiplying both images and texts by exp(tau) scales the logits by exp(2 tau); scale the cosines once.
def clip_loss(image_features, text_features, tau):
    images, texts = tau.exp() * F.normalize(image_features, dim=-1), tau.exp() * F.normalize(text_features, dim=-1)
    logits = images @ texts.T
    labels = torch.arange(len(logits))
    return (F.cross_entropy(logits, labels) + F.cross_entropy(logits.T, labels)) / 2


# %% chaff: columns_only
# misconception: one direction is enough
# hint: You ask which image belongs to each text, but never which text belongs to each image; average the two.
def clip_loss(image_features, text_features, tau):
    logits = tau.exp() * F.normalize(image_features, dim=-1) @ F.normalize(text_features, dim=-1).T
    return F.cross_entropy(logits.T, torch.arange(len(logits)))


# %% chaff: summed_over_batch
# misconception: sum over the batch
# hint: With all-equal logits the loss should be ln N; yours is N ln N. Average over the N pairs.
def clip_loss(image_features, text_features, tau):
    logits = tau.exp() * F.normalize(image_features, dim=-1) @ F.normalize(text_features, dim=-1).T
    labels = torch.arange(len(logits))
    return (F.cross_entropy(logits, labels, reduction="sum") + F.cross_entropy(logits.T, labels, reduction="sum")) / 2


# %% chaff: negated
# misconception: the loss is the log-likelihood
# hint: Cross-entropy is MINUS the log-probability, so this loss cannot be negative.
def clip_loss(image_features, text_features, tau):
    logits = tau.exp() * F.normalize(image_features, dim=-1) @ F.normalize(text_features, dim=-1).T
    return (logits.log_softmax(dim=0) + logits.log_softmax(dim=1)).diagonal().mean() / 2


# %% chaff: pairwise_yes_no
# misconception: every pair is a yes/no question
# hint: You ask 'match or not?' of every entry; CLIP asks 'which of the N?' of every row and column, by a softmax.
def clip_loss(image_features, text_features, tau):
    logits = tau.exp() * F.normalize(image_features, dim=-1) @ F.normalize(text_features, dim=-1).T
    return F.binary_cross_entropy_with_logits(logits, torch.eye(len(logits), dtype=logits.dtype))


# %% chaff: one_value_per_pair
# misconception: forgot reduction
# hint: Return one number for the batch; you return one per pair.
def clip_loss(image_features, text_features, tau):
    logits = tau.exp() * F.normalize(image_features, dim=-1) @ F.normalize(text_features, dim=-1).T
    return -(logits.log_softmax(dim=0) + logits.log_softmax(dim=1)).diagonal() / 2


# %% chaff: symmetrized_logits
# misconception: the mean of the two matrices gives the mean of the two losses
# hint: A row asks which caption fits an image, a column which image fits a caption: two questions, each with a softmax of its own. Take both losses, then their mean.
def clip_loss(image_features, text_features, tau):
    logits = tau.exp() * F.normalize(image_features, dim=1) @ F.normalize(text_features, dim=1).T
    return F.cross_entropy((logits + logits.T) / 2, torch.arange(len(logits)))
