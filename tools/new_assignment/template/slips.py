# Usual wrong answers, each below the sentence that a student who gives it will read. The format: grader/authoring/slips.py.

# %% {{folder}}.standardise variance
# You divide by the variance; one standard deviation is its square root.
# replace: x.std(axis=0) -> x.var(axis=0)

# %% {{folder}}.standardise not_centred
# You scale without centring: the mean is to be subtracted first.
# replace: (x - mean) -> x

# %% {{folder}}.standardise whole_table
# You take one mean and one deviation of the whole table; each column has its own.
# replace: x.mean(axis=0) -> x.mean()
# replace: x.std(axis=0) -> x.std()
