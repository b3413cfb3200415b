# %% [markdown]
# # Notebook {{number}}: {{title}}
#
# {{points_table}}
#
# **Rules.** Write only where a `# TODO:` asks you to. Keep the first line `# AUTOGRADED (…)` of a cell as it is: the grader
# finds your answer by it. Import nothing beyond the import cell.

# %%
# SETUP
import sys
import zipfile
from pathlib import Path

if "google.colab" in sys.modules and Path("student.zip").exists():
    zipfile.ZipFile("student.zip").extractall()
here = Path.cwd()
near = [here, *here.parents, *here.glob("*/"), *map(Path, sys.path)]
homes = [folder for folder in near if (folder / "utils" / "exercise").is_dir()]
if not homes:
    raise SystemExit(
        f"The course's folder `utils` is not found near {here.name}. On your machine: keep "
        "this notebook in the bundle's folder `notebooks`. On Colab: upload student.zip with "
        "the Files panel on the left, then run this cell again."
    )
sys.path.insert(0, str(homes[0]))

from utils import diagnose

diagnose("{{name}}")

# %%
# IMPORTS
import numpy as np

from utils import expect_close, hand_in

# %% [markdown]
# ## 1 Before anything is learned
#
# ### 1.1 Standard scores
# **`{{folder}}.standardise`** · auto 4
#
# Features come in metres and in grams; what is learned from them should not depend on that. A standard score counts in
# standard deviations from the mean, $z_{nd} = (x_{nd} - \mu_d) / \sigma_d$, with mean and deviation of each column.
#
# <details><summary>Hint</summary>`mean` and `std` take an `axis`: along which of the two do the samples lie?</details>


# %%
# AUTOGRADED (4) standardise
def standardise(x):
    """Standard scores of a table, column by column.

    Args:
        x: Samples in rows, float array of shape (N, D); no column is constant.

    Returns:
        z, shape (N, D): every column has mean 0 and standard deviation 1 (divided by N).
    """
    # TODO: find mean and standard deviation of each column.
    # TODO: centre and scale.
    ### BEGIN SOLUTION
    mean = x.mean(axis=0)
    deviation = x.std(axis=0)
    return (x - mean) / deviation
    ### END SOLUTION


# %%
# TEST
x = np.array([[1.0, 10.0], [2.0, 30.0], [6.0, 20.0]])
z = standardise(x)
expect_close("mean of each column", z.mean(axis=0), np.zeros(2))
expect_close("standard deviation of each column", z.std(axis=0), np.ones(2))

# %%
hand_in("{{name}}")
