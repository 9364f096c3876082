"""Wheats and chaffs of dot: other correct solutions, and known mistakes. The task has no points: a chaff fails a check."""


# %% wheat: loop
def dot(a, b):
    total = 0
    for i in range(len(a)):
        total += a[i] * b[i]
    return total


# %% wheat: numpy
def dot(a, b):
    import numpy as np

    return np.dot(a, b)


# %% wheat: torch
def dot(a, b):
    import torch

    return torch.tensor(a, dtype=torch.float64) @ torch.tensor(b, dtype=torch.float64)


# %% chaff: products
# misconception: the dot product is a list
# hint: The products are right; what is still to be done with them?
def dot(a, b):
    return [x * y for x, y in zip(a, b)]


# %% chaff: printed
# misconception: print = return
# hint: The number is shown but not handed back; return it.
def dot(a, b):
    print(sum(x * y for x, y in zip(a, b)))


# %% chaff: first_pair
# misconception: return ends the loop only
# hint: A return inside the loop ends the function after the first pair.
def dot(a, b):
    total = 0
    for x, y in zip(a, b):
        total += x * y
        return total


# %% chaff: every_pair
# misconception: every number of a with every number of b
# hint: Only numbers in the same place belong together: multiply each pair, then add the products.
def dot(a, b):
    return sum(x * y for x in a for y in b)


# %% chaff: sums
# misconception: add first, then multiply
# hint: Only numbers in the same place belong together: multiply each pair, then add the products.
def dot(a, b):
    return sum(a) * sum(b)


# %% chaff: skips_the_first
# misconception: counting from 1
# hint: Places start at 0; your loop leaves the first pair out.
def dot(a, b):
    return sum(a[i] * b[i] for i in range(1, len(a)))


# %% chaff: only_three
# misconception: the example is the task
# hint: The lists have any length; you look at three places only.
def dot(a, b):
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


# %% chaff: the_example
# misconception: the example is the task
# hint: You return the number of the example whatever the lists are.
def dot(a, b):
    return 1


# %% chaff: cosine
# misconception: dot product = cosine similarity
# hint: You divide by the lengths; that is the next notebook. The bare dot product has no division.
def dot(a, b):
    length = sum(x * x for x in a) ** 0.5 * sum(y * y for y in b) ** 0.5
    return sum(x * y for x, y in zip(a, b)) / length


# %% chaff: rounded_down
# misconception: numbers are whole
# hint: The second example has fractions; do not turn the numbers into int.
def dot(a, b):
    return sum(int(x) * int(y) for x, y in zip(a, b))
