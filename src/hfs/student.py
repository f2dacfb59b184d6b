"""The trainable selector: questions, thoughts and candidates -> logits, in one `PreTrainedModel`.

A small language model (SLM) reads the question, its options and a thought of visual cues. Learnable
query tokens stand right after each cue, and a few at the end; the hidden states at them, projected,
are the query vectors. A score network then reads the candidates in their light. That an SLM guided
by a chain of thought makes implicit query vectors is the paper's (arXiv 2512.11534); that each cue
has query tokens of its own, so that they cannot all become one, is our reading.

    student = HFSStudent.create("Qwen/Qwen3-0.6B", feature_width=768, lora={"r": 16})
    thoughts = student.think(questions, options, cache)          # no gradient, adapters off
    queries = student.queries(questions, options, thoughts)      # gradient
    output = student.score(features, times, mask, queries, prior, text)
    scores = student.scores(output, times, windows)              # for Objective.of
    output = student(questions, options, thoughts, features, times, mask, prior, text)  # both

The last line is what a data-parallel wrapper calls. ``save_pretrained`` writes only adapters and
new weights where the SLM is known by name (`merge` for all in one); `hfs.student_files` does it.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from transformers import AutoConfig, AutoModelForCausalLM, PreTrainedModel

from hfs import hub, prompting, student_files, student_output
from hfs.cache import Cache
from hfs.errors import MissingExtra, UsageError
from hfs.score_network import ScoreNetwork
from hfs.student_config import HFSStudentConfig
from hfs.student_output import QueryBatch, StudentOutput
from hfs.thinker import NOTHING, Thinker
from hfs.thinking import KINDS, Cue, Thought
from hfs.types import Scores


class HFSStudent(PreTrainedModel):
    """SLM, query tokens and score network; without ``slm`` the SLM has random weights."""

    config_class = HFSStudentConfig
    config: HFSStudentConfig
    _supports_sdpa = True

    def __init__(self, config: HFSStudentConfig, slm: Any = None, tokenizer: Any = None) -> None:
        super().__init__(config)
        own = dict(config.slm_config or {})
        self.slm = slm or AutoModelForCausalLM.from_config(
            AutoConfig.for_model(own.pop("model_type"), **own)
        )
        self.tokenizer = tokenizer
        if config.lora is not None:
            _add_adapters(self.slm, config.lora)
        hidden = self.slm.config.get_text_config().hidden_size
        q = config.query_width
        self.query_tokens = nn.Parameter(
            torch.zeros(config.cue_tokens + config.global_tokens, hidden)
        )
        self.kinds = nn.Parameter(torch.zeros(len(KINDS), hidden))
        """Added to the query tokens of a cue of that kind."""
        self.project = nn.Sequential(nn.Linear(hidden, q), nn.LayerNorm(q))
        self.weigh = nn.Linear(q, 1)
        """Of each query, beside its fixed share."""
        self.network = ScoreNetwork(
            features=config.feature_width,
            text=config.text_width,
            queries=q,
            width=config.width,
            layers=config.layers,
            heads=config.heads,
        )
        with torch.no_grad():
            words = self.slm.get_input_embeddings().weight
            nn.init.normal_(self.query_tokens, std=float(words.float().std()))
            nn.init.zeros_(self.weigh.weight)
            nn.init.zeros_(self.weigh.bias)
        self.revision = ""
        """The checkpoint's exact files, once loaded."""
        self.card = ""
        """The model card that is saved."""

    @classmethod
    def create(
        cls,
        slm: str,
        *,
        lora: dict[str, Any] | None = None,
        seed: int = 0,
        device: str = "cpu",
        dtype: str = "float32",
        **config: Any,
    ) -> "HFSStudent":
        """An untrained student around a pretrained SLM, a hub name or a folder.

        ``lora`` is {"r", "alpha", "dropout", "targets"}, all optional, or None to train the full
        SLM; ``config`` are the other fields of `HFSStudentConfig`. Only the SLM takes ``dtype``.
        """
        folder, where = hub.folder(slm), hub.pick_device(device)
        kind = hub.pick_dtype(dtype, where)
        model = hub.load_model(folder, "AutoModelForCausalLM", device=where, dtype=kind)
        settings = HFSStudentConfig(
            slm_config=model.config.to_dict(),
            base=slm if lora is not None else "",
            base_revision=hub.revision_of(folder),
            lora=lora,
            **config,
        )
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            student = cls(settings, model, hub.load_tokenizer(folder))
        if lora is None:
            student.slm.requires_grad_(True)
        nn.Module.to(student, where)
        return student.train()

    @classmethod
    def from_pretrained(  # pyright: ignore[reportIncompatibleMethodOverride]
        cls,
        pretrained_model_name_or_path: str | Path,
        *,
        revision: str | None = None,
        device: str = "cpu",
        dtype: str = "float32",
        base: str | None = None,
    ) -> "HFSStudent":
        """The student of a folder or hub name, in evaluation mode, every weight accounted for.

        ``dtype`` is the SLM's; ``base`` names the SLM anew where its folder has moved. Raises
        WeightsError for a folder that is broken or whose base is not at hand or is another.
        """
        return student_files.load(
            cls,
            str(pretrained_model_name_or_path) + (f"@{revision}" if revision else ""),
            device=device,
            dtype=dtype,
            base=base,
        )

    def save_pretrained(  # pyright: ignore[reportIncompatibleMethodOverride]
        self,
        save_directory: str | Path,
        *,
        state_dict: dict[str, Tensor] | None = None,
        is_main_process: bool = True,
        card: str = "",
        **_: Any,
    ) -> None:
        """Writes config, safetensors, tokenizer and model card, whole or not at all.

        ``card`` is the text of README.md (`hfs.model_card`).
        """
        if is_main_process:
            student_files.save(self, Path(save_directory), state_dict=state_dict, card=card)

    def push_to_hub(  # pyright: ignore[reportIncompatibleVariableOverride]
        self, repo_id: str, *, private: bool | None = None, token: str | None = None
    ) -> str:
        """Uploads what ``save_pretrained`` writes, card included; the commit's address."""
        return student_files.push(self, repo_id, private=private, token=token)

    def merge(self) -> "HFSStudent":
        """From now on all weights are saved in one file; nothing that is computed changes.

        Base and adapters lie side by side in it: added together, the SLM would no longer write the
        thoughts that it asks from.
        """
        self.config.base = ""
        return self

    def forward(
        self,
        questions: Sequence[str],
        options: Sequence[Sequence[str]],
        thoughts: Sequence[Thought],
        features: Float[Tensor, "b n d"],
        times: Float[Tensor, "b n"],
        mask: Bool[Tensor, "b n"],
        prior: Float[Tensor, "b m n"],
        text: Float[Tensor, "b n e"] | None = None,
    ) -> StudentOutput:
        """``queries``, then ``score``."""
        queries = self.queries(questions, options, thoughts)
        return self.score(features, times, mask, queries, prior, text)

    def think(
        self,
        questions: Sequence[str],
        options: Sequence[Sequence[str]],
        cache: Cache = NOTHING,
    ) -> list[Thought]:
        """The SLM's own thoughts, without gradient and with the adapters off.

        So training with adapters never changes a thought, and all can be made ahead. A full SLM
        that is being trained writes with what it has become, and nothing of it is cached: make the
        thoughts before.
        """
        config, training = self.config, self.training
        fixed = config.lora is not None or (bool(self.revision) and not training)
        kind = str(next(self.slm.parameters()).dtype).removeprefix("torch.")
        writer = Thinker(
            self.slm,
            self.tokenizer,
            f"{config.base_revision if config.lora is not None else self.revision}-{kind}",
            instruction=config.instruction,
            most=config.most_cues,
            tokens=config.thought_tokens,
        )
        self.slm.eval()
        try:
            with self.without_adapters():
                return writer(questions, options, cache if fixed else NOTHING)
        finally:
            self.slm.train(training)

    def facets(self, question: str, thought: Thought) -> tuple[str, ...]:
        """The words of each query, in order: what a text tower embeds for the prior."""
        cues = thought.cues[: self.config.most_cues]
        bound = [cue.what for cue in cues for _ in range(self.config.cue_tokens)]
        return (*([question] * self.config.global_tokens), *bound)

    def queries(
        self,
        questions: Sequence[str],
        options: Sequence[Sequence[str]],
        thoughts: Sequence[Thought],
    ) -> QueryBatch:
        """The query vectors of each question, the global ones first, then those of each cue.

        Gradient reaches the query tokens, and the adapters or the full SLM.
        """
        rows = [self._row(*item) for item in zip(questions, options, thoughts, strict=True)]
        limit = getattr(self.slm.config.get_text_config(), "max_position_embeddings", None)
        prompting.check_length(max(len(ids) for ids, _ in rows), limit)
        hidden, slots = self._read(rows), [slots for _, slots in rows]
        m = max(map(len, slots))
        device = hidden.device
        real = torch.tensor([[j < len(s) for j in range(m)] for s in slots], device=device)
        at = torch.tensor(
            [[s[min(j, len(s) - 1)][0] for j in range(m)] for s in slots], device=device
        )
        states = hidden.gather(1, at[..., None].expand(-1, -1, hidden.shape[-1]))
        vectors = self.project(states.float()) * real[..., None]
        facets = [self.facets(q, t) for q, t in zip(questions, thoughts, strict=True)]
        return QueryBatch(vectors, self._weights(vectors, real), real, facets)

    def score(
        self,
        features: Float[Tensor, "b n d"],
        times: Float[Tensor, "b n"],
        mask: Bool[Tensor, "b n"],
        queries: QueryBatch,
        prior: Float[Tensor, "b m n"],
        text: Float[Tensor, "b n e"] | None = None,
    ) -> StudentOutput:
        """Logits of candidates; ``times`` are seconds, ``prior`` the cosine of the words of each
        query with each candidate in the backbone's space (zeros without a text tower), ``text``
        what is said or shown near each candidate, embedded, rows of zeros where nothing is."""
        if features.shape[-1] != self.config.feature_width:
            raise UsageError(
                f"expected features of width {self.config.feature_width}, got width "
                f"{features.shape[-1]}: use the backbone that the student was trained with, "
                f"{self.config.backbone}"
            )
        return self.network(features, times, mask, queries, prior, text)

    @torch.no_grad()
    def judge(
        self,
        features: Float[Tensor, "n d"],
        times: Float[Tensor, "n"],
        vectors: Float[Tensor, "m q"],
        weights: Float[Tensor, "m"],
        prior: Float[Tensor, "m n"],
        text: Float[Tensor, "n e"] | None = None,
    ) -> tuple[Float[Tensor, "n"], Float[Tensor, "m n"]]:
        """Relevance and facets in [0, 1] of one video's candidates, on the student's device."""
        where = self.query_tokens.device
        real = torch.ones(1, len(vectors), dtype=torch.bool)
        queries = QueryBatch(vectors[None].to(where), weights[None].to(where), real.to(where), [])
        output = self.score(
            features[None].to(where),
            times[None].to(where),
            torch.ones(1, len(times), dtype=torch.bool, device=where),
            queries,
            prior[None].to(where),
            None if text is None else text[None].to(where),
        )
        return student_output.calibrated(output, 0, len(times))

    def scores(
        self,
        output: StudentOutput,
        times: Float[Tensor, "b n"],
        windows: Sequence[tuple[float, float]] | None = None,
    ) -> list[Scores]:
        """The calibrated scores of each item, as training and inference both use them."""
        return student_output.scores(output, times, windows)

    @contextmanager
    def without_adapters(self) -> Iterator[None]:
        """The base SLM, as it was before training."""
        if self.config.lora is None:
            yield
            return
        from peft.tuners.tuners_utils import BaseTunerLayer

        layers = [layer for layer in self.slm.modules() if isinstance(layer, BaseTunerLayer)]
        trained = [p for p in self.slm.parameters() if p.requires_grad]
        for layer in layers:
            layer.enable_adapters(enabled=False)
        try:
            yield
        finally:
            for layer in layers:
                layer.enable_adapters(enabled=True)
            self.slm.requires_grad_(False)
            for parameter in trained:
                parameter.requires_grad_(True)

    def _row(
        self, question: str, options: Sequence[str], thought: Thought
    ) -> tuple[list[int], list[tuple[int, int, int]]]:
        """The token ids with a place held for each query token, and of each of those its place, its
        index among the query tokens and its kind of cue (-1: global); global ones first."""
        config = self.config
        ids = prompting.prompt(self.tokenizer, question, options, instruction=config.instruction)
        line = prompting.plain(self.tokenizer, "\n")
        bound: list[tuple[int, int, int]] = []
        for cue in thought.cues[: config.most_cues]:
            ids += prompting.plain(self.tokenizer, str(cue))
            for j in range(config.cue_tokens):
                bound.append((len(ids), j, _kind(cue)))
                ids.append(0)
            ids += line
        first = len(ids)
        ids += [0] * config.global_tokens
        free = [(first + j, config.cue_tokens + j, -1) for j in range(config.global_tokens)]
        return ids, [*free, *bound]

    def _read(
        self, rows: list[tuple[list[int], list[tuple[int, int, int]]]]
    ) -> Float[Tensor, "b t h"]:
        """The SLM's last hidden states; what comes after a row's end is padding."""
        words = self.slm.get_input_embeddings()
        device, longest = words.weight.device, max(len(ids) for ids, _ in rows)
        ids = torch.tensor([i + [0] * (longest - len(i)) for i, _ in rows], device=device)
        lengths = torch.tensor([len(i) for i, _ in rows], device=device)
        mask = torch.arange(longest, device=device) < lengths[:, None]
        spots = [(b, *slot) for b, (_, slots) in enumerate(rows) for slot in slots]
        row, place, token, kind = torch.tensor(spots, device=device).T
        kinds = torch.cat([self.kinds, torch.zeros_like(self.kinds[:1])])  # -1: none
        asking = (self.query_tokens[token] + kinds[kind]).to(words.weight.dtype)
        embedded = words(ids).index_put((row, place), asking)
        body = self.slm.base_model
        return body(
            inputs_embeds=embedded, attention_mask=mask.long(), use_cache=False
        ).last_hidden_state

    def _weights(
        self, vectors: Float[Tensor, "b m q"], real: Bool[Tensor, "b m"]
    ) -> Float[Tensor, "b m"]:
        """Softmax over the real queries; untrained, half is the global ones' and half the cues'."""
        share = torch.log(_shares(real, self.config.global_tokens))
        logits = self.weigh(vectors).squeeze(-1) + share
        return logits.masked_fill(~real, -torch.inf).softmax(-1)


def _shares(real: Bool[Tensor, "b m"], free: int) -> Float[Tensor, "b m"]:
    """Each real query's share before training; anything positive where there is none."""
    bound = real.sum(1, keepdim=True) - free
    half = torch.where((bound > 0) & torch.tensor(free > 0, device=real.device), 0.5, 1.0)
    is_free = torch.arange(real.shape[1], device=real.device) < free
    return torch.where(is_free, half / max(free, 1), half / bound.clamp_min(1))


def _kind(cue: Cue) -> int:
    return KINDS.index(cue.kind)


def _add_adapters(slm: Any, lora: dict[str, Any]) -> None:
    """Low-rank adapters inside the SLM, trainable, and nothing else of it."""
    try:
        from peft import LoraConfig, inject_adapter_in_model
    except ImportError as error:
        raise MissingExtra("a student with adapters", "peft", "train") from error
    slm.requires_grad_(False)
    r = lora.get("r", 16)
    settings = LoraConfig(
        r=r,
        lora_alpha=lora.get("alpha", 2 * r),
        lora_dropout=lora.get("dropout", 0.0),
        target_modules=lora.get("targets", "all-linear"),
    )
    inject_adapter_in_model(settings, slm)
