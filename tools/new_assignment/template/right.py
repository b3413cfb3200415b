# Right answers written differently: each must get full marks.

# %% {{folder}}.standardise from_the_squares
def standardise(x):
    centred = x - np.mean(x, axis=0, keepdims=True)
    return centred / np.sqrt(np.mean(centred**2, axis=0))


# %% {{folder}}.standardise column_by_column
def standardise(x):
    z = np.empty_like(x)
    for d in range(x.shape[1]):
        column = x[:, d]
        z[:, d] = (column - column.sum() / len(column)) / column.std()
    return z
