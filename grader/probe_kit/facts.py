"""The facts that a probe's calls leave behind, by name and in the order in which they are sent; see `watching`.

Apart, since the grader's own process reads them too and loads no torch.
"""

FACTS = (
    "argument",  # 1 + number of the first argument that is changed afterwards
    "earlier",  # an answer given before is another one now
    "dtype",  # 1: other floats than float32, 2: no tensor
    "gradients",  # gradients are switched off or on afterwards
    "generator",  # torch's global generator is in another state afterwards
    "modes",  # a model is in another mode afterwards
    "weights",  # a model's parameters are others
    "frozen",  # a model's parameters take no gradient any more
    "shared",  # the answer lies in the memory of an argument
    "twins",  # a new object has a parameter that an earlier one has
)
