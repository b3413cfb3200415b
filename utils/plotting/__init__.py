"""Pictures for the notebooks: images, latent spaces, curves.

Each function draws one figure and returns nothing, so that a notebook shows it once; `plt.gcf()` is the figure.
"""
