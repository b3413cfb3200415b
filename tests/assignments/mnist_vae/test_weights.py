import pytest
import torch

from assignments.mnist_vae import make_weights as simple_vae_weights
from assignments.mnist_vae.make_weights import NOTEBOOK, train
from grader.authoring.solution import solution_names
from utils.datasets import mnist


@pytest.fixture(scope="module")
def names():
    return solution_names(NOTEBOOK)


def test_the_kept_weights_fit_the_notebooks_class_and_give_the_kept_images(names):
    model = names["SimpleVAE"](K=2, num_filters=32)
    kept = names["load_pretrained"](model, "simple_vae")
    torch.manual_seed(simple_vae_weights.SEED)
    images = names["generate_images"](model, 2, simple_vae_weights.IMAGES)
    torch.testing.assert_close(images, kept["images"], rtol=0, atol=1e-5)


def test_they_are_trained_the_width_is_far_from_its_start(names):
    model = names["SimpleVAE"](K=2, num_filters=32)
    names["load_pretrained"](model, "simple_vae")
    assert 0.15 < model.log_sig_x.exp().item() < 0.25
    blank = torch.zeros(4, 1, 28, 28)
    assert model.elbo(blank, 1) > names["SimpleVAE"](K=2, num_filters=32).elbo(blank, 1)


def test_a_stand_in_is_not_trained_on(names, monkeypatch, tmp_path):
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    monkeypatch.setattr(mnist, "try_download", lambda download: "no network")
    with pytest.raises(SystemExit, match="point DATA_DIR at it"):
        train(names["SimpleVAE"](), epochs=1)
