"""The method at its real scale: Qwen3-0.6B learns to select with Qwen3-VL-8B as its teacher.

    hfs features QUESTIONS --videos DIR --out DIR.features --model SIGLIP --sampler SAMPLER \\
        --teacher Qwen/Qwen3-VL-8B-Instruct --tokens 64 --dtype bfloat16 --slm Qwen/Qwen3-0.6B
    accelerate launch -m hfs train qwen3_video data=QUESTIONS videos=DIR --out RUN

with SIGLIP and SAMPLER as ``hfs train qwen3_video ... --dry-run`` prints them. Hardware: one GPU of
80 GB (the table that the dry run prints says what takes how much); more of them share the batch.
Questions: NExT-QA's train csv, or any JSON Lines (`hfs.training.data`).

Both language models are frozen but for adapters, in bfloat16; new weights are float32. A pretrained
teacher reads well from the start, so its warm-up is short: random subsets, that it may doubt.
Not run at this scale by us: no such GPU or weights were at hand; the tests run this recipe whole on
tiny checkpoints of the same classes. What to expect is therefore open.
"""

from pathlib import Path

from hfs.training.costs import Plan, adapters, shape_of
from hfs.training.losses import LossWeights
from hfs.training.recipe import Phase, Recipe, Run
from hfs.training.routing import SELECTORS, Routing
from hfs.training.schedules import Schedule, Stage
from hfs.training.setting import Setting
from hfs.training.step import Answering, Mutual
from hfs.training.teacher import LoRA

SIGLIP = "siglip"
WIDTH = 768
"""Of SigLIP 2 base's vectors."""
NEW = 3_000_000
"""Parameters of query tokens, projections and score network at width 256, about."""


def recipe(
    data: str,
    videos: str,
    store: str | None = None,
    slm: str = "Qwen/Qwen3-0.6B",
    teacher: str = "Qwen/Qwen3-VL-8B-Instruct",
    backbone: str = SIGLIP,
    candidates: int = 128,
    tokens: int = 64,
    calibrate: int = 200,
    steps: int = 3000,
    route: int = 0,
    batch: int = 32,
    rank: int = 16,
    teacher_rank: int = 16,
    rate: float = 2e-4,
    teacher_rate: float = 2e-5,
    width: int = 256,
    importance: str | None = "attention",
    relaxation: str = "soft_greedy",
    selector: str = "hfs",
    prior: bool = True,
    thinking: str = "written",
    text: bool = True,
    set_weight: float = 0.1,
    teacher_to_student: float = 0.3,
    student_to_teacher: float = 0.05,
    devices: int = 1,
    dtype: str = "bfloat16",
) -> Recipe:
    """``teacher_rank=0`` freezes the teacher; ``devices`` is for the estimate of time alone.

    After ``route`` steps more, of which each takes as many answers as there are selectors in
    `hfs.training.routing`, the student names one of these for every question.
    """
    setting = Setting(
        data=Path(data),
        videos=Path(videos),
        store=Path(store or f"{videos}.features"),
        slm=slm,
        teacher=teacher,
        backbone=backbone,
        sampler=f"grid(fps=1.0, limit={candidates})",
        selector="routed" if route else selector,
        student={"selectors": list(SELECTORS)} if route else {},
        slm_lora={"r": rank},
        teacher_lora=LoRA(rank=teacher_rank, alpha=2 * teacher_rank) if teacher_rank else None,
        teacher_frozen=not teacher_rank,
        tokens=tokens,
        dtype=dtype,
        checkpointing=True,
        width=width,
        text=text,
        thinking=thinking,  # pyright: ignore[reportArgumentType]
    )
    weights = LossWeights(
        set=set_weight,
        teacher_to_student=teacher_to_student,
        student_to_teacher=student_to_teacher,
    )
    schedule = Schedule(budgets=(Stage(0.25, (16,)), Stage(0.75, (4, 8))), weights=weights)
    learning = {"teacher": teacher_rate} if teacher_rank else {}
    mutual = Mutual(
        selector=selector,
        relaxation=relaxation,  # pyright: ignore[reportArgumentType]
        importance=importance,  # pyright: ignore[reportArgumentType]
        prior=prior,
    )
    calibration = Phase("calibrate", Answering("calibration", (4, 16)), calibrate, batch, learning)
    phase = Phase(
        "mutual", mutual, steps, batch, {"student": rate, "slm": rate, **learning}, schedule
    )
    routing = Phase("route", Routing(prior), route, batch, {"route": 0.01})
    phases = (*((calibration,) if learning else ()), phase, *((routing,) if route else ()))
    run = Run(micro=1, precision="bf16", every=100)

    def plan() -> str:
        shapes = shape_of(slm), shape_of(teacher)
        learned = adapters(shapes[0], rank) + adapters(shapes[1], teacher_rank) + NEW
        cost = Plan(
            slm=shapes[0],
            teacher=shapes[1],
            learned=learned,
            candidates=candidates,
            tokens=tokens,
            budget=16,
            micro=run.micro,
            steps=calibrate * bool(learning) + steps + len(SELECTORS) * route,
            batch=batch,
            videos=len(setting.questions.videos),
            questions=len(setting.questions.examples),
            features=WIDTH,
            checkpointed=True,
            devices=devices,
        )
        how = f"  backbone {setting.backbone}, sampler {setting.sampler}, store {setting.store}"
        return "\n".join([setting.note, how, str(cost)])

    return Recipe(
        name="qwen3_video",
        phases=phases,
        build=setting.build,
        data={"train": setting.open},
        run=run,
        plan=plan,
    )
