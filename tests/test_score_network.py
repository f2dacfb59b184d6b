"""What stands just before and just after a candidate, as the score network is told of it."""

import math

import pytest
import torch

from hfs.score_network import NEAR, REACH, ScoreNetwork, beside
from hfs.student_output import QueryBatch

B, M, N = 2, 3, 24


@pytest.fixture
def scene() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Similarities, times in no order and unevenly spaced, and which candidates are real."""
    generator = torch.Generator().manual_seed(0)
    times = torch.rand(B, N, generator=generator) * 100
    return (
        torch.randn(B, M, N, generator=generator),
        times,
        torch.rand(B, N, generator=generator) > 0.2,
    )


def test_neighbours_in_time_are_weighted_by_how_near_they_are(scene):
    z, times, mask = scene
    before, after = beside(z, times, mask)
    for b in range(B):
        line = sorted(mask[b].nonzero()[:, 0].tolist(), key=lambda i: float(times[b, i]))
        for at, i in enumerate(line):
            sides = ((before, line[:at][::-1]), (after, line[at + 1 :]))
            for found, others in sides:
                near = others[:NEAR]
                weights = [math.exp(-r / REACH) for r in range(len(near))]
                pairs = zip(weights, near, strict=True)
                total = sum((w * z[b, :, j] for w, j in pairs), torch.zeros(M))
                expected = total / sum(weights) if near else total
                torch.testing.assert_close(found[b, :, i], expected, atol=1e-5, rtol=1e-5)


def test_padding_is_beside_nobody(scene):
    z, times, mask = scene
    other = torch.where(mask[:, None], z, 1e3)
    for mine, theirs in zip(beside(z, times, mask), beside(other, times, mask), strict=True):
        shown = mask[:, None].expand_as(mine)
        torch.testing.assert_close(mine[shown], theirs[shown])


def test_a_single_candidate_has_no_neighbours():
    before, after = beside(torch.ones(1, 2, 1), torch.zeros(1, 1), torch.ones(1, 1).bool())
    assert before.abs().sum() == after.abs().sum() == 0


def test_it_can_learn_to_point_at_what_follows_the_thing_that_is_named():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = ScoreNetwork(features=4, text=0, queries=8, width=16, layers=1, heads=2)
    generator = torch.Generator().manual_seed(0)
    optimizer = torch.optim.AdamW(network.parameters(), lr=3e-3)
    queries = QueryBatch(
        vectors=torch.ones(32, 1, 8),
        weights=torch.ones(32, 1),
        mask=torch.ones(32, 1).bool(),
        facets=[("",)] * 32,
    )

    def right(train: bool) -> float:
        named = torch.randint(N - 1, (32,), generator=generator)
        prior = torch.nn.functional.one_hot(named, N).float()[:, None]
        times = torch.arange(float(N)).expand(32, N)
        out = network(
            torch.zeros(32, N, 4), times, torch.ones(32, N).bool(), queries, prior, None
        ).frame
        if train:
            torch.nn.functional.cross_entropy(out, named + 1).backward()
            optimizer.step()
            optimizer.zero_grad()
        return float((out.argmax(1) == named + 1).float().mean())

    for _ in range(60):
        right(train=True)
    assert sum(right(train=False) for _ in range(4)) / 4 > 0.9
