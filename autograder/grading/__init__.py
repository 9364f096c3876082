"""A class's submissions of one assignment: which stand, which are scored anew, which are run; and what is saved of them."""
