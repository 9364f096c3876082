"""Wheats and chaffs of predict: other complete predictions (none is wrong), and incomplete ones."""

# %% wheat: other_answers
predictions = {"label_of_row_3": 1, "loss_rises": False, "negatives_in_32768": 32_768}

# %% wheat: numpy_numbers
predictions = {"label_of_row_3": np.int64(0), "loss_rises": np.bool_(True), "negatives_in_32768": np.float64(31)}

# %% wheat: built_step_by_step
predictions = dict()
predictions["negatives_in_32768"] = 32_768**2 - 32_768
predictions["loss_rises"] = 1.536 > 1.445
predictions["label_of_row_3"] = [0.1, 0.1, 0.2, 0.9, 0.1, 0.1, 0.1, 0.2].index(0.9)

# %% chaff: missing_answer
# misconception: an answer that is not certain is better left out
# hint: A prediction counts for being made, not for being right; one of your three keys has no answer yet.
predictions = {"label_of_row_3": 3, "loss_rises": True}

# %% chaff: none_as_placeholder
# misconception: None is an answer
# hint: One of your answers is still None; any guess of the right kind earns full points.
predictions = {"label_of_row_3": 3, "loss_rises": None, "negatives_in_32768": 32_767}

# %% chaff: words
# misconception: an answer in words
# hint: The third answer is a number, not a sentence about one.
predictions = {"label_of_row_3": 3, "loss_rises": True, "negatives_in_32768": "all but one"}

# %% chaff: list_without_keys
# misconception: the order says which answer it is
# hint: Bind a dict with the three keys of the task, not a list.
predictions = [3, True, 32_767]
