# As in the file of assignment 1.

# %% alignment_gap medians
# breaks: by hand / asymmetric matrix / counts the same / only negative
def alignment_gap(S):
    matches = torch.eye(len(S), dtype=torch.bool)
    return float(S[matches].median() - S[~matches].median())


# %% alignment_gap hardest_negative
# breaks: by hand / asymmetric matrix / counts the same
def alignment_gap(S):
    matches = torch.eye(len(S), dtype=torch.bool)
    return float(S[matches].mean() - S[~matches].max())


# %% rotate_text wrong_side
# breaks: a matrix that is no rotation / after the turn
def rotate_text(image_features, text_features, Q):
    images, texts = F.normalize(image_features, dim=-1), F.normalize(text_features, dim=-1)
    turned = F.normalize(text_features @ Q.T, dim=-1)
    own = torch.arange(len(images))
    return {
        "text_gram_change": float((turned @ turned.T - texts @ texts.T).abs().max()),
        "top1_before": float(((images @ texts.T).argmax(dim=1) == own).double().mean()),
        "top1_after": float(((images @ turned.T).argmax(dim=1) == own).double().mean()),
    }


# %% top_confusions one_too_many
# breaks: k pairs, and no match / the two largest
def top_confusions(S, k):
    N = len(S)
    pairs = [(i, j) for i in range(N) for j in range(N) if i != j]
    return sorted(pairs, key=lambda pair: float(S[pair]), reverse=True)[: k + 1]


# %% top_confusions by_size
# breaks: asymmetric matrices / all cosines are negative
def top_confusions(S, k):
    N = len(S)
    pairs = [(i, j) for i in range(N) for j in range(N) if i != j]
    return sorted(pairs, key=lambda pair: abs(float(S[pair])), reverse=True)[:k]
