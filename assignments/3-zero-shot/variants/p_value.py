"""Wheats and chaffs of p_value: other correct solutions, and known mistakes."""

# %% wheat: complement
def p_value(k, n, classes):
    p = 1 / classes
    return 1 - sum(math.comb(n, j) * p**j * (1 - p) ** (n - j) for j in range(k))


# %% wheat: fractions
def p_value(k, n, classes):
    from fractions import Fraction

    p = Fraction(1, classes)
    return float(sum(math.comb(n, j) * p**j * (1 - p) ** (n - j) for j in range(k, n + 1)))


# %% wheat: log_gamma
def p_value(k, n, classes):
    j = torch.arange(k, n + 1, dtype=torch.float64)
    ways = torch.lgamma(torch.tensor(n + 1.0, dtype=torch.float64)) - torch.lgamma(j + 1) - torch.lgamma(n - j + 1)
    return torch.exp(ways - j * math.log(classes) + (n - j) * math.log(1 - 1 / classes)).sum()


# %% wheat: one_image_after_another
def p_value(k, n, classes):
    chance = np.zeros(n + 1)
    chance[0] = 1
    for _ in range(n):
        chance[1:] = chance[1:] * (1 - 1 / classes) + chance[:-1] / classes
        chance[0] *= 1 - 1 / classes
    return chance[k:].sum()


# %% wheat: pascal
def p_value(k, n, classes):
    ways = [1]
    for _ in range(n):
        ways = [a + b for a, b in zip([0, *ways], [*ways, 0])]
    favorable = sum(ways[j] * (classes - 1) ** (n - j) for j in range(k, n + 1))
    return favorable / classes**n


# %% chaff: strictly_greater
# misconception: P(X > k)
# hint: 'At least as good as yours' includes k itself: P(X >= k).
def p_value(k, n, classes):
    p = 1 / classes
    return sum(math.comb(n, j) * p**j * (1 - p) ** (n - j) for j in range(k + 1, n + 1))


# %% chaff: exactly_k
# misconception: P(X = k)
# hint: Add up all outcomes that are at least as extreme.
def p_value(k, n, classes):
    return math.comb(n, k) * (1 / classes) ** k * (1 - 1 / classes) ** (n - k)


# %% chaff: normal_approx
# misconception: z-test
# hint: With n = 10 the normal curve is far off; use the exact binomial.
def p_value(k, n, classes):
    mean, spread = n / classes, math.sqrt(n / classes * (1 - 1 / classes))
    return 0.5 * math.erfc((k - 0.5 - mean) / spread / math.sqrt(2))


# %% chaff: one_minus_accuracy
# misconception: p = error rate
# hint: The p-value is about guessing, not about your error rate.
def p_value(k, n, classes):
    return 1 - k / n


# %% chaff: ratio_to_chance
# misconception: chance / accuracy
# hint: 3 of 10 is 'three times chance' and still happens to a blind guesser 7 % of the time.
def p_value(k, n, classes):
    return min(1.0, (1 / classes) / (k / n)) if k else 1.0


# %% chaff: at_most
# misconception: P(X <= k)
# hint: A good result is one that guessing seldom reaches or passes; you added up the worse ones.
def p_value(k, n, classes):
    p = 1 / classes
    return sum(math.comb(n, j) * p**j * (1 - p) ** (n - j) for j in range(k + 1))


# %% chaff: coin_flip
# misconception: right or wrong is a coin flip
# hint: A blind guess among C classes is right with probability 1/C, not 1/2.
def p_value(k, n, classes):
    return sum(math.comb(n, j) * 0.5**n for j in range(k, n + 1))


# %% chaff: chance_hardcoded
# misconception: chance is always 10 %
# hint: Chance is 1/C for C classes.
def p_value(k, n, classes):
    return sum(math.comb(n, j) * 0.1**j * 0.9 ** (n - j) for j in range(k, n + 1))


# %% chaff: one_of_the_others
# misconception: 1/(C-1)
# hint: A blind guess picks among all C classes, including the right one.
def p_value(k, n, classes):
    p = 1 / max(classes - 1, 1)
    return sum(math.comb(n, j) * p**j * (1 - p) ** (n - j) for j in range(k, n + 1))


# %% chaff: no_coefficient
# misconception: the hits come first
# hint: There are comb(n, j) ways to place j hits among n images; you count one of them.
def p_value(k, n, classes):
    p = 1 / classes
    return sum(p**j * (1 - p) ** (n - j) for j in range(k, n + 1))


# %% chaff: misses_forgotten
# misconception: only the hits count
# hint: The other n - j images must be misses, each with probability 1 - 1/C.
def p_value(k, n, classes):
    return min(1.0, sum(math.comb(n, j) * (1 / classes) ** j for j in range(k, n + 1))) if k else 1.0


# %% chaff: two_sided
# misconception: both tails
# hint: The question is one-sided: how often does guessing do AT LEAST as well?
def p_value(k, n, classes):
    p = 1 / classes
    return min(1.0, 2 * sum(math.comb(n, j) * p**j * (1 - p) ** (n - j) for j in range(k, n + 1)))


# %% chaff: simulated
# misconception: a simulation is exact enough
# hint: A thousand tries give p to about one digit; the sum over the binomial has no noise.
def p_value(k, n, classes):
    hits = torch.randint(classes, (1000, n), generator=torch.Generator().manual_seed(1)).eq(0).sum(dim=1)
    return float((hits >= k).double().mean())


# %% chaff: stops_before_n
# misconception: range includes its end
# hint: range(k, n) ends at n - 1; the case that all n are right is missing.
def p_value(k, n, classes):
    p = 1 / classes
    return sum(math.comb(n, j) * p**j * (1 - p) ** (n - j) for j in range(k, n))
