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

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from transformers import AutoConfig, AutoModel, AutoModelForCausalLM, PreTrainedModel

from hfs import adapters, hub, prompting, query_slots, student_files, student_output
from hfs.cache import Cache
from hfs.errors import UsageError
from hfs.query_slots import Slots
from hfs.score_network import ScoreNetwork
from hfs.student_config import HFSStudentConfig
from hfs.student_output import QueryBatch, StudentOutput
from hfs.thinker import NOTHING, Thinker
from hfs.thinking import KINDS, Thought
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
            adapters.add(self.slm, config.lora)
        hidden = self.slm.config.get_text_config().hidden_size
        q = config.query_width
        self.query_tokens = nn.Parameter(
            torch.zeros(config.cue_tokens + config.global_tokens, hidden)
        )
        self.kinds = nn.Parameter(torch.zeros(len(KINDS), hidden))
        """Added to the query tokens of a cue of that kind."""
        self.project = nn.Sequential(nn.Linear(hidden, q), nn.LayerNorm(q))
        self.weigh = nn.Linear(q, 1, bias=False)
        """Of each query, beside its fixed share."""
        self.route = nn.Linear(q, len(config.selectors)) if config.selectors else None
        """The router: of the queries' weighted mean, a logit for each of the selectors."""
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
            if self.route is not None:  # the first selector, until it has learned
                nn.init.zeros_(self.route.weight)
                nn.init.zeros_(self.route.bias)
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
            slm_config={k: v for k, v in model.config.to_dict().items() if k != "_name_or_path"},
            base=_lasting(slm, folder) if lora is not None else "",
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
        config: object = None,
        **auto: object,
    ) -> "HFSStudent":
        """The student of a folder or hub name, in evaluation mode, every weight accounted for.

        ``config`` and ``auto`` are what `transformers.AutoModel` passes on; the folder's own is
        read.

        ``dtype`` is the SLM's; ``base`` names the SLM anew where its folder has moved. Raises
        WeightsError for a folder that is broken or whose base is not at hand or is another.
        """
        passed = {"adapter_kwargs", "trust_remote_code"}
        if unknown := sorted(k for k in auto if not k.startswith("_") and k not in passed):
            raise UsageError(
                f"expected no options beside revision, device, dtype and base, got {unknown[0]}"
            )
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
        push_to_hub: bool = False,
        **_: Any,
    ) -> None:
        """Writes config, one safetensors file, tokenizer and model card, whole or not at all.

        ``card`` is the text of README.md (`hfs.model_card`); how to cut and write files, which
        other models may be told, is of no account here.
        """
        if push_to_hub:
            raise UsageError("expected to save only: upload with student.push_to_hub('OWNER/NAME')")
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
        that is being trained writes with what it has become: make the thoughts before. Nothing is
        cached of weights that no revision names.
        """
        config, training = self.config, self.slm.training
        if config.lora is not None:
            weights = config.base_revision or self.revision
        else:
            weights = "" if training else self.revision
        kind = str(next(self.slm.parameters()).dtype).removeprefix("torch.")
        writer = Thinker(
            self.slm,
            self.tokenizer,
            f"{weights}-{kind}",
            instruction=config.instruction,
            most=config.most_cues,
            tokens=config.thought_tokens,
        )
        self.slm.eval()
        try:
            with adapters.aside(self.slm) if config.lora is not None else nullcontext():
                return writer(questions, options, cache if weights else NOTHING)
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
        config = self.config
        rows = [
            query_slots.row(
                self.tokenizer,
                question,
                answers,
                thought.cues[: config.most_cues],
                instruction=config.instruction,
                each=config.cue_tokens,
                free=config.global_tokens,
            )
            for question, answers, thought in zip(questions, options, thoughts, strict=True)
        ]
        limit = getattr(self.slm.config.get_text_config(), "max_position_embeddings", None)
        prompting.check_length(max(len(ids) for ids, _ in rows), limit)
        slots = Slots.of(rows, self.query_tokens.device)
        states = self._read(slots).to(self.weigh.weight.dtype)
        with self._exactly():
            vectors = self.project(states) * slots.real[..., None]
            share = query_slots.shares(slots.real, config.global_tokens).log()
            logits = (self.weigh(vectors).squeeze(-1) + share).masked_fill(~slots.real, -torch.inf)
            weights = logits.softmax(-1)
            asked = (weights[..., None] * vectors).sum(1)
            routes = None if self.route is None else self.route(asked)
        facets = [self.facets(q, t) for q, t in zip(questions, thoughts, strict=True)]
        return QueryBatch(vectors, weights, slots.real, facets, routes)

    def named(self, routes: Float[Tensor, "b s"] | None, count: int) -> list[str]:
        """The selector that the router names for each of ``count`` questions; empty without one."""
        if routes is None:
            return [""] * count
        return [(self.config.selectors or [])[i] for i in routes.argmax(1).tolist()]

    def score(
        self,
        features: Float[Tensor, "b n d"],
        times: Float[Tensor, "b n"],
        mask: Bool[Tensor, "b n"],
        queries: QueryBatch,
        prior: Float[Tensor, "b m n"],
        text: Float[Tensor, "b n e"] | None = None,
    ) -> StudentOutput:
        """Logits of candidates; ``times`` are seconds, ``prior`` and ``text`` are what
        `hfs.student_inputs` makes of the words of each query and of what is said nearby. Raises
        UsageError for features of another width."""
        if features.shape[-1] != self.config.feature_width:
            raise UsageError(
                f"expected features of width {self.config.feature_width}, got width "
                f"{features.shape[-1]}: use the backbone that the student was trained with, "
                f"{self.config.backbone}"
            )
        with self._exactly():
            output = self.network(features, times, mask, queries, prior, text)
        return replace(output, routes=queries.routes)

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
        named = self.named(output.routes, len(times))
        return student_output.scores(output, times, windows, named)

    def _exactly(self) -> torch.autocast:
        """The new parts run in their own precision: they are small, and logits are compared."""
        return torch.autocast(self.query_tokens.device.type, enabled=False)

    def _read(self, slots: Slots) -> Float[Tensor, "b m h"]:
        """The SLM's last hidden states at the query tokens."""
        words = self.slm.get_input_embeddings()
        kinds = torch.cat([self.kinds, torch.zeros_like(self.kinds[:1])])  # global: of no kind
        asking = (self.query_tokens[slots.token] + kinds[slots.kind]).to(words.weight.dtype)
        row = torch.arange(len(slots.ids), device=slots.ids.device)[:, None].expand_as(slots.place)
        held = (row[slots.real], slots.place[slots.real])
        hidden = self.slm.base_model(
            inputs_embeds=words(slots.ids).index_put(held, asking[slots.real]),
            attention_mask=slots.mask.long(),
            use_cache=False,
        ).last_hidden_state
        return hidden[row, slots.place]


def _lasting(slm: str, folder: Path) -> str:
    """The name of a language model that holds wherever it is read."""
    return str(folder) if Path(slm).expanduser().is_dir() else slm


AutoModel.register(HFSStudentConfig, HFSStudent, exist_ok=True)
