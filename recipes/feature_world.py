"""A world of feature vectors with known evidence -> the recall of selectors and of variants of F.

    python recipes/feature_world.py [VIDEOS] [SEED]

Scenes of heavy-tailed length show a colour and a shape; a digit and a letter are visible for one or
two frames of each. Questions ask for one scene's digit, the order of two scenes, the larger of two
digits, or the letters of all scenes of a colour. Scores are the cosine of a frame with the
question's words. 300 videos take a minute on one core; expect ``hfs`` above ``mmr`` and ``dpp``.
"""

import sys
from dataclasses import dataclass

import torch
from torch import Tensor

from hfs import plugins
from hfs.types import Features, Scores

FRAMES, WIDTH = 64, 64
SPECS = (
    "uniform", "top_k", "mmr", "dpp", "mdp3", "gift", "adaptive_greedy", "hfs", "hfs(exchanges=0)",
    "hfs(redundancy=0.5)", "hfs(redundancy=0.0)", "hfs(coverage=0.0)", "hfs(coverage=0.1)",
    "hfs(coverage=0.5)", "hfs(coverage=0.8)", "hfs(smoothing=0.0)", "hfs(smoothing=1.0)",
)  # fmt: skip


@dataclass(frozen=True)
class Clip:
    """One video: its frames' features, their scores, and what has to be hit."""

    features: Features
    scores: Scores
    evidence: list[set[int]]


def draw(low: int, high: int, g: torch.Generator) -> int:
    return int(torch.randint(low, high, (1,), generator=g))


def scenes(kind: int, count: int, g: torch.Generator) -> tuple[list[tuple[int, int]], list[int]]:
    """Colour and shape of each scene, and the scenes that the question is about, ascending."""
    asked = sorted(torch.randperm(count, generator=g)[: (1, 2, 2, draw(1, 5, g))[kind]].tolist())
    first, second = ((draw(0, 6, g), draw(0, 6, g)) for _ in range(2))
    if first == second:
        second = ((second[0] + 1) % 6, second[1])
    looks: list[tuple[int, int]] = []
    for scene in range(count):
        if scene in asked:
            look = (first[0], draw(0, 6, g)) if kind == 3 else (first, second)[asked.index(scene)]
        else:
            look = (draw(0, 6, g), draw(0, 6, g))
            if kind < 3 and draw(0, 10, g) < 6:  # half of the look that is asked for
                look = (first[0], look[1]) if draw(0, 2, g) else (look[0], first[1])
            if look in (first, second) or (kind == 3 and look[0] == first[0]):
                look = ((max(first[0], second[0]) + 1) % 6, (look[1] + 1) % 6)
                look = look if look[0] != first[0] else ((look[0] + 1) % 6, look[1])
        looks.append(look)
    return looks, asked


def clip(kind: int, axes: Tensor, g: torch.Generator) -> Clip:
    """A video and a question of kind 0 to 3; ``axes`` are orthonormal directions of attributes."""
    colours, shapes, digits, letters = axes[:6], axes[6:12], axes[12:22], axes[22:28]
    count = draw(8, 13, g)
    weight = (1.1 * torch.randn(count, generator=g)).exp()
    length = 2 + (weight / weight.sum() * (FRAMES - 2 * count)).long()
    length[draw(0, count, g)] += FRAMES - int(length.sum())
    looks, asked = scenes(kind, count, g)
    frames, spans, reveals = [], [], []
    for (colour, shape), n in zip(looks, length.tolist(), strict=True):
        style = 0.0625 * torch.randn(WIDTH, generator=g)
        scene = (colours[colour] + shapes[shape] + style).repeat(n, 1)
        shown = draw(1, 3, g)
        at = draw(0, n - shown + 1, g)
        scene[at : at + shown] += digits[draw(0, 10, g)] + letters[draw(0, 6, g)]
        begin = sum(map(len, frames))
        spans.append(set(range(begin, begin + n)))
        reveals.append(set(range(begin + at, begin + at + shown)))
        frames.append(scene + 0.125 * torch.randn(n, WIDTH, generator=g))
    vectors = torch.nn.functional.normalize(torch.cat(frames), dim=1)
    words = [colours[looks[s][0]] + (shapes[looks[s][1]] if kind < 3 else 0) for s in asked]
    words = words[:1] if kind == 3 else words
    hint = (digits.mean(0), torch.zeros(WIDTH), digits.mean(0), letters.mean(0))[kind]
    question = torch.nn.functional.normalize(torch.stack(words).sum(0) + hint, dim=0)
    times = torch.arange(FRAMES, dtype=torch.float64) + 0.5
    return Clip(
        Features(vectors, times, torch.arange(FRAMES), "world"),
        Scores.of(vectors @ question, times),
        [(spans if kind == 1 else reveals)[s] for s in asked],
    )


def recall(spec: str, clips: list[Clip], k: int) -> float:
    """Share of the needed evidence that the selector's frames hit, mean over videos."""
    selector = plugins.build("selectors", spec)
    total = 0.0
    for video in clips:
        g = torch.Generator().manual_seed(0)
        chosen = set(selector(video.scores, video.features, k, g).tolist())
        total += sum(bool(chosen & unit) for unit in video.evidence) / len(video.evidence)
    return total / len(clips)


def main(videos: int = 300, seed: int = 0) -> None:
    torch.set_num_threads(1)
    g = torch.Generator().manual_seed(seed)
    axes = torch.linalg.qr(torch.randn(WIDTH, WIDTH, generator=g))[0]
    clips = [clip(i % 4, axes, g) for i in range(videos)]
    print(f"{'selector':24s}  k = 4  k = 8   ({videos} videos, seed {seed})")
    for spec in SPECS:
        print(f"{spec:24s}  {recall(spec, clips, 4):.3f}  {recall(spec, clips, 8):.3f}", flush=True)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
