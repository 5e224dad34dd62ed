"""Set distances against closed forms, independent implementations and torchmetrics."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.linalg import sqrtm

from selector.sight.embedding.set_distance import (
    SCALE,
    SIGMA,
    Discrepancy,
    Floats,
    Shrunk,
    frechet_distance,
    gaussian_unlikeness,
    group_means,
    nearest_distance,
    polynomial_unlikeness,
    resampled,
)

KERNELS = {"gaussian": gaussian_unlikeness, "polynomial": polynomial_unlikeness}


def samples(n: int, seed: int, dim: int = 12, shift: float = 0.0) -> Floats:
    return np.random.default_rng(seed).normal(shift, 1.0, (n, dim))


def units(n: int, seed: int, dim: int = 12, shift: float = 0.3) -> Floats:
    found = samples(n, seed, dim, shift)
    return np.asarray(found / np.linalg.norm(found, axis=1, keepdims=True))


def singles(x: Floats, y: Floats, kernel: str = "gaussian") -> Discrepancy:
    """Every sample a group of its own, no pair left out."""
    each = KERNELS[kernel]
    pair = [group_means(a, np.arange(len(a)), b, np.arange(len(b)), each) for a, b in ((x, x), (x, y), (y, y))]
    return Discrepancy(pair[0], pair[1], pair[2], np.zeros((len(x), len(y)), bool))


def test_frechet_distance_of_a_set_from_itself_is_zero() -> None:
    assert frechet_distance(samples(60, 1), samples(60, 1)) == pytest.approx(0.0, abs=1e-9)


def test_frechet_distance_is_the_closed_form_of_two_gaussians() -> None:
    x, y = samples(400, 1), samples(300, 2, shift=0.5) @ np.diag(np.linspace(0.5, 2.0, 12))
    a, b = np.cov(x, rowvar=False), np.cov(y, rowvar=False)
    wanted = ((x.mean(0) - y.mean(0)) ** 2).sum() + np.trace(a + b - 2 * np.real(sqrtm(a @ b)))
    assert frechet_distance(x, y) == pytest.approx(wanted, rel=1e-6)


def test_frechet_distance_of_large_samples_is_that_of_their_distributions() -> None:
    # N(0, I) and N(m, 4 I) in 4 dimensions: |m|^2 + 4 (1 - 2)^2
    x, y = samples(40_000, 1, 4), 2 * samples(40_000, 2, 4) + 1.0
    assert frechet_distance(x, y) == pytest.approx(4.0 + 4.0, rel=0.03)


def test_frechet_distance_bears_fewer_samples_than_dimensions() -> None:
    x, y = samples(10, 1, 40), samples(12, 2, 40)
    a, b = np.cov(x, rowvar=False), np.cov(y, rowvar=False)
    values = np.linalg.eigvals(a @ b)
    wanted = ((x.mean(0) - y.mean(0)) ** 2).sum() + np.trace(a + b) - 2 * np.sqrt(np.maximum(values.real, 0)).sum()
    assert frechet_distance(x, y) == pytest.approx(wanted, rel=1e-5)


def test_cmmd_is_the_published_one_less_the_bias_of_its_diagonals() -> None:
    x, y = units(40, 1), units(30, 2, shift=0.8)

    def k(a: Floats, b: Floats) -> Floats:
        gamma = 1 / (2 * SIGMA**2)
        return np.array([[np.exp(-gamma * ((p - q) ** 2).sum()) for q in b] for p in a])

    published = SCALE * (k(x, x).mean() + k(y, y).mean() - 2 * k(x, y).mean())
    bias = sum(SCALE * (1 - (k(s, s).sum() - len(s)) / (len(s) * (len(s) - 1))) / len(s) for s in (x, y))
    assert SCALE * singles(x, y).value() == pytest.approx(published - bias, rel=1e-6)


def test_kid_is_the_sum_over_pairs_written_out() -> None:
    x, y = samples(15, 1), samples(11, 2, shift=0.4)
    k = lambda p, q: (p @ q / len(p) + 1) ** 3  # noqa: E731
    xx = [k(p, q) for i, p in enumerate(x) for j, q in enumerate(x) if i != j]
    yy = [k(p, q) for i, p in enumerate(y) for j, q in enumerate(y) if i != j]
    xy = [k(p, q) for p in x for q in y]
    assert singles(x, y, "polynomial").value() == pytest.approx(np.mean(xx) + np.mean(yy) - 2 * np.mean(xy))


@pytest.mark.parametrize("kernel", KERNELS)
def test_two_samples_of_one_kind_are_at_zero_on_average_at_any_size(kernel: str) -> None:
    make = units if kernel == "gaussian" else samples
    for n, m in ((8, 40), (30, 30)):
        found = [singles(make(n, seed), make(m, 1000 + seed), kernel).value() for seed in range(300)]
        assert abs(np.mean(found)) < 3.5 * np.std(found) / np.sqrt(len(found))


@pytest.mark.parametrize("kernel", KERNELS)
def test_discrepancy_grows_with_the_shift_and_forgets_the_order(kernel: str) -> None:
    x = units(50, 1)
    found = [singles(x, units(60, 2, shift=s), kernel).value() for s in (0.3, 0.5, 0.9)]
    assert found[0] < found[1] < found[2]
    rng = np.random.default_rng(0)
    mixed = singles(rng.permutation(x), rng.permutation(units(60, 2, shift=0.5)), kernel).value()
    assert mixed == pytest.approx(found[1], rel=1e-9)


def test_group_means_are_means_over_pairs_across_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("selector.sight.embedding.set_distance._BLOCK", 5)
    x, y, starts_x, starts_y = units(17, 1), units(9, 2), np.array([0, 1, 4, 11, 12]), np.array([0, 2, 3])
    whole = gaussian_unlikeness(x, y)
    wanted = [[block.mean() for block in np.split(rows, starts_y[1:], 1)] for rows in np.split(whole, starts_x[1:])]
    assert group_means(x, starts_x, y, starts_y, gaussian_unlikeness) == pytest.approx(np.array(wanted))


def test_copies_of_the_real_pictures_are_at_zero_where_own_pairs_are_left_out() -> None:
    real = units(40, 1)
    starts = np.arange(40)
    every = group_means(real, starts, real, starts, gaussian_unlikeness)
    left_out = Discrepancy(every, every, every, np.eye(40, dtype=bool))
    assert left_out.value() == pytest.approx(0.0, abs=1e-12)
    assert Discrepancy(every, every, every, np.zeros((40, 40), bool)).value() < -1e-5  # looks better than real


def test_bootstrap_does_not_move_the_middle_though_pictures_are_drawn_twice() -> None:
    found = singles(units(60, 1), units(80, 2, shift=0.6))
    rng = np.random.default_rng(0)
    drawn = found.weighed(resampled(60, 2000, rng), resampled(80, 2000, rng))
    assert np.median(drawn) == pytest.approx(found.value(), abs=0.1 * drawn.std() + 0.02 * found.value())
    low, high = np.quantile(drawn, [0.1, 0.9])
    assert low < found.value() < high


@pytest.mark.parametrize(("shift", "least", "most"), [(0.0, 0.9, 1.0), (0.3, 0.7, 0.92)])
def test_80_percent_intervals_hold_the_truth_about_as_often_and_too_often_near_zero(
    shift: float, least: float, most: float
) -> None:
    truth = singles(units(3000, 1), units(3000, 2, shift=0.3 + shift)).value() if shift else 0.0
    inside = []
    for seed in range(80):
        found = singles(units(50, 10 + seed), units(60, 500 + seed, shift=0.3 + shift))
        rng = np.random.default_rng(seed)
        low, high = np.quantile(found.weighed(resampled(50, 200, rng), resampled(60, 200, rng)), [0.1, 0.9])
        inside.append(low < truth < high)
    assert least <= np.mean(inside) <= most


def test_a_bootstrap_is_the_same_in_every_run() -> None:
    one, two = (resampled(9, 4, np.random.default_rng(3)) for _ in range(2))
    assert (one == two).all()
    assert (one.sum(axis=1) == 9).all()


def test_nearest_distance_is_the_mean_of_the_k_smallest() -> None:
    real, unit = units(30, 1), units(1, 2)[0]
    assert nearest_distance(unit, real, 5) == pytest.approx(np.sort(1 - real @ unit)[:5].mean())
    assert nearest_distance(unit, real[:3], 5) == pytest.approx((1 - real[:3] @ unit).mean())
    assert nearest_distance(real[0], real, 1) == pytest.approx(0.0, abs=1e-12)


def test_shrunk_covariance_is_that_of_scikit_learn() -> None:
    from sklearn.covariance import LedoitWolf

    x = samples(30, 1, 50) @ np.diag(np.linspace(0.2, 2.0, 50))
    theirs = LedoitWolf().fit(x)
    z = samples(5, 2, 50)
    ours = [Shrunk.fitted(x).distance(row) for row in z]
    assert ours == pytest.approx(np.sqrt(theirs.mahalanobis(z) / 50))


@pytest.mark.parametrize("out", [[3], [3, 17], [0, 5, 29]])
def test_leaving_samples_out_is_fitting_again_without_them(out: list[int]) -> None:
    x, z = samples(30, 1, 20), samples(1, 2, 20)[0]
    fitted = Shrunk.fitted(x)
    rest = np.delete(x, out, axis=0)
    centred = rest - rest.mean(0)
    level = fitted.spreads.mean()  # the amount of shrinkage stays
    covariance = (1 - fitted.shrinkage) * centred.T @ centred / len(rest) + fitted.shrinkage * level * np.eye(20)
    away = z - rest.mean(0)
    wanted = np.sqrt(away @ np.linalg.solve(covariance, away) / 20)
    assert fitted.distance(z, x[out]) == pytest.approx(wanted)


def test_a_fitted_sample_lies_as_far_off_as_another_one_once_it_is_left_out() -> None:
    x, fresh = samples(60, 1, 40), samples(60, 2, 40)
    fitted = Shrunk.fitted(x)
    inside = np.mean([fitted.distance(row) for row in x])
    without = np.mean([fitted.distance(row, row[None]) for row in x])
    outside = np.mean([fitted.distance(row) for row in fresh])
    assert inside < 0.97 * outside
    assert without == pytest.approx(outside, rel=0.02)
    assert outside == pytest.approx(1.0, abs=0.2)


def test_torchmetrics_and_our_own_arithmetic_agree() -> None:
    from selector.sight.embedding.set_distance import fid, kid

    x, y = samples(80, 1), 1.3 * samples(80, 2, shift=0.3)
    assert fid(x, y[:50]) == pytest.approx(frechet_distance(x, y[:50]), rel=1e-9)
    assert fid(x, x) == pytest.approx(0.0, abs=1e-6)
    assert kid(x, y) == pytest.approx(singles(x, y, "polynomial").value(), rel=1e-9)
    assert kid(x, y) == kid(x, y)
    with pytest.raises(ValueError, match="two samples of one size, got 80 and 50"):
        kid(x, y[:50])


def test_torch_draws_the_same_numbers_whether_or_not_kid_was_measured() -> None:
    import torch

    from selector.sight.embedding.set_distance import kid

    torch.manual_seed(5)
    wanted = torch.rand(3)
    torch.manual_seed(5)
    kid(samples(10, 1), samples(10, 2))
    assert (torch.rand(3) == wanted).all()
