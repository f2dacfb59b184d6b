"""Candidates in context and query vectors -> logits of each candidate, by facet and as a whole.

    facet_mi = q_m . h_i / sqrt(q) + beta * z_mi        frame_i = log sum_m w_m exp(facet_mi)

h_i is candidate i after a small transformer (pre-LN, Xiong et al. 2020) in which candidates attend
to one another and to the queries; z is the backbone's own similarity of facet and candidate,
standardised over the video, which enters with a learned weight beta, 1 at first, so that an
untrained student ranks as its backbone does. The paper (arXiv 2512.11534) says that queries are
combined with multimodal features for dynamic scoring; the form is our reading.

A candidate also knows how similar what came just before it, and what comes just after it, is to
each query (`beside`): a question may ask for what follows the thing that it names.

Order carries no meaning: candidates know their times, and a permutation of them permutes the
logits.
"""

import math

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn.functional import pad, scaled_dot_product_attention

from hfs.student_output import SMALLEST, QueryBatch, StudentOutput

WAVES = 8
"""Sines and cosines of the place in the window, and as many of the seconds."""
LONGEST_PERIOD = 7200.0
"""Seconds of the slowest wave; the fastest has 2."""
NEAR = 8
"""Candidates on either side that are beside one."""
REACH = 2.0
"""Candidates over which their weight falls by e."""


class ScoreNetwork(nn.Module):
    """The scorer of a student; ``text`` is the width of text evidence, 0 where none is read."""

    def __init__(
        self, *, features: int, text: int, queries: int, width: int, layers: int, heads: int
    ) -> None:
        super().__init__()
        self.look = nn.Linear(features, width)
        self.place = nn.Linear(4 * WAVES, width)
        self.read = nn.Linear(text, width) if text else None
        self.silence = nn.Parameter(torch.zeros(width)) if text else None
        """Stands where nothing is said or shown near a candidate."""
        self.ask = nn.Linear(queries, width)
        self.resemble = nn.Linear(queries, width)
        self.follow = nn.Linear(queries, width)
        self.lead = nn.Linear(queries, width)
        self.blocks = nn.ModuleList(Block(width, heads) for _ in range(layers))
        self.norm = nn.LayerNorm(width)
        self.answer = nn.Linear(width, queries)
        self.beta = nn.Parameter(torch.ones(()))
        nn.init.normal_(self.answer.weight, std=0.02)  # the prior leads at first
        nn.init.zeros_(self.answer.bias)

    def forward(
        self,
        features: Float[Tensor, "b n d"],
        times: Float[Tensor, "b n"],
        mask: Bool[Tensor, "b n"],
        queries: QueryBatch,
        prior: Float[Tensor, "b m n"],
        text: Float[Tensor, "b n e"] | None,
    ) -> StudentOutput:
        """Rows of zeros in ``text`` mean that there is none."""
        kind = self.look.weight.dtype  # half where the caller's wrapper casts weights
        z = masked_standard(prior.float(), mask[:, None]).to(kind)
        vectors, weights = queries.vectors.to(kind), queries.weights.to(kind)
        frames = self.look(features.to(kind)) + self.place(waves(times, mask).to(kind))
        if self.read is not None and self.silence is not None:
            frames = frames + self._reading(text, frames)
        asked = self.ask(vectors)
        known = weights * queries.mask
        earlier, later = beside(z, times, mask)
        for like, meant in ((z, self.resemble), (earlier, self.follow), (later, self.lead)):
            frames = frames + torch.einsum("bm,bmn,bmw->bnw", known, like, meant(vectors))
        frames = frames.masked_fill(~mask[..., None], 0)
        asked = asked.masked_fill(~queries.mask[..., None], 0)
        x, real = torch.cat([asked, frames], 1), torch.cat([queries.mask, mask], 1)
        for block in self.blocks:
            x = block(x, real)
        h = self.answer(self.norm(x[:, asked.shape[1] :]))
        facet = vectors @ h.transpose(1, 2) / math.sqrt(h.shape[-1]) + self.beta * z
        facet = facet.float()
        return StudentOutput(
            frame=weighted_logsumexp(facet, queries.weights, queries.mask),
            facet=facet,
            prior=z.float(),
            weights=queries.weights,
            queries=queries.mask,
            frames=mask,
        )

    def _reading(self, text: Float[Tensor, "b n e"] | None, like: Tensor) -> Tensor:
        assert self.read is not None
        assert self.silence is not None
        if text is None:
            return self.silence.expand_as(like)
        said = (text != 0).any(-1, keepdim=True)
        return torch.where(said, self.read(text.to(like.dtype)), self.silence)


class Block(nn.Module):
    """Self-attention and a perceptron, each on normalised input and added to it."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attend = nn.Linear(width, 3 * width)
        self.join = nn.Linear(width, width)
        self.think = nn.Sequential(
            nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width)
        )

    def forward(self, x: Float[Tensor, "b t w"], real: Bool[Tensor, "b t"]) -> Tensor:
        """Nothing attends to what is not ``real``."""
        b, t, w = x.shape
        q, k, v = self.attend(self.norm1(x)).view(b, t, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        mixed = scaled_dot_product_attention(q, k, v, attn_mask=real[:, None, None])
        x = x + self.join(mixed.transpose(1, 2).reshape(b, t, w))
        return x + self.think(self.norm2(x))


def masked_standard(
    x: Float[Tensor, "b m n"], mask: Bool[Tensor, "b 1 n"]
) -> Float[Tensor, "b m n"]:
    """Mean 0 and standard deviation 1 over the real candidates, 0 elsewhere and where constant."""
    count = mask.sum(-1, keepdim=True).clamp_min(1)
    centred = (x - (x * mask).sum(-1, keepdim=True) / count) * mask
    return centred / (centred.square().sum(-1, keepdim=True) / count + SMALLEST).sqrt()


def beside(
    z: Float[Tensor, "b m n"], times: Float[Tensor, "b n"], mask: Bool[Tensor, "b n"]
) -> tuple[Float[Tensor, "b m n"], Float[Tensor, "b m n"]]:
    """Means of z over the candidates just before each, and just after; 0 where there are none.

    The r-th nearest of `NEAR` real candidates in time weighs exp(-(r - 1) / REACH).
    """
    order = times.masked_fill(~mask, torch.inf).argsort(dim=1, stable=True)
    back = order.argsort(1)[:, None].expand_as(z)
    row = torch.stack([z * mask[:, None], mask[:, None].to(z.dtype).expand_as(z)])
    row = row.gather(3, order[None, :, None].expand_as(row))
    weights = torch.exp(-torch.arange(NEAR, device=z.device) / REACH).to(z.dtype)

    def mean(row: Float[Tensor, "2 b m n"]) -> Float[Tensor, "b m n"]:
        windows = pad(row, (NEAR, 0))[..., :-1].unfold(-1, NEAR, 1)
        total, count = (windows * weights.flip(0)).sum(-1)
        return total / count.clamp_min(1e-6)

    return mean(row).gather(2, back), mean(row.flip(-1)).flip(-1).gather(2, back)


def weighted_logsumexp(
    facet: Float[Tensor, "b m n"], weights: Float[Tensor, "b m"], mask: Bool[Tensor, "b m"]
) -> Float[Tensor, "b n"]:
    """log sum_m w_m exp(facet_m) over the real queries: near the best facet, smoothly."""
    share = torch.where(mask, weights, 1).clamp_min(1e-12).log().masked_fill(~mask, -torch.inf)
    return (facet + share[..., None]).logsumexp(1)


def waves(times: Float[Tensor, "b n"], mask: Bool[Tensor, "b n"]) -> Float[Tensor, "b n f"]:
    """Sines and cosines of a candidate's place among the real ones, 0 to 1, and of its seconds."""
    t = times.double()
    first = t.masked_fill(~mask, torch.inf).amin(1, keepdim=True)
    last = t.masked_fill(~mask, -torch.inf).amax(1, keepdim=True)
    place = (t - first) / (last - first).clamp_min(1e-6)
    steps = torch.arange(WAVES, dtype=torch.float64, device=t.device)
    periods = 2.0 * (LONGEST_PERIOD / 2.0) ** (steps / (WAVES - 1))
    phases = torch.cat(
        [place[..., None] * math.pi * 2**steps, t[..., None] * 2 * math.pi / periods], -1
    )
    return torch.cat([phases.sin(), phases.cos()], -1).float()
