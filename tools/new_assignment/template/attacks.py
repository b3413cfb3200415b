# Attacks on the grader, handed in as answers. The format: tests/attacks/catalogue.py; ARENA is put in front by tests/arena.py.

# %% {{folder}}.standardise read_a_secret
# [read] Opens a file that the grader's user may read.
def standardise(x):
    open(ARENA["secret"], "rb").read()
    return (x - x.mean(axis=0)) / x.std(axis=0)


# %% {{folder}}.standardise never_ends
# [end, hangs] Never returns.
def standardise(x):
    while True:
        pass


# %% {{folder}}.standardise remembers
# [next] Leaves its answer where the next submission might find it.
def standardise(x):
    np.remembered = x
    raise RuntimeError("later")
