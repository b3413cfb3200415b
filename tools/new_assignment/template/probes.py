"""How answers are called. A student's process reads this file, so it holds no expected value and imports no neighbour."""


def standardise(names, x):
    return {"z": names["standardise"](x)}
