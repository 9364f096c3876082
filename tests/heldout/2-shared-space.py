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


# %% top_confusions one_too_many
# breaks: k pairs, and no match / the two largest
def top_confusions(S, k):
    N = len(S)
    pairs = [(i, j) for i in range(N) for j in range(N) if i != j]
    return sorted(pairs, key=lambda pair: float(S[pair]), reverse=True)[: k + 1]


# %% top_confusions by_size
# twin: absolute
def top_confusions(S, k):
    N = len(S)
    pairs = [(i, j) for i in range(N) for j in range(N) if i != j]
    return sorted(pairs, key=lambda pair: abs(float(S[pair])), reverse=True)[:k]
