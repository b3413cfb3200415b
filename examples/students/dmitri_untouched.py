# Dmitri hands in the notebook as he got it.
# score: 0
# expect: kl.D_KL.values missing
# expect: kl.elbo.formula missing
