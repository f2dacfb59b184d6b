"""The whole method at toy width, on checkpoints and videos that are given: minutes on a CPU.

    hfs train tiny data=QUESTIONS.jsonl videos=DIR slm=DIR teacher=DIR backbone=SPEC --out RUN

Hardware: any CPU. With checkpoints of random weights (two layers of width 32), four videos of
twelve frames and the default 60 + 120 steps: the loss falls to near 0 and the frame that shows the
answer is among the chosen ones (tests/test_learning.py does it). The same code trains at full size
(`hfs.recipes.qwen3_video`).
"""

from pathlib import Path

from hfs.training.losses import LossWeights
from hfs.training.recipe import Phase, Recipe, Run
from hfs.training.schedules import Schedule, Stage
from hfs.training.setting import Setting
from hfs.training.step import Answering, Mutual


def recipe(
    data: str,
    videos: str,
    slm: str,
    teacher: str,
    backbone: str = "pixels",
    store: str | None = None,
    warmup: int = 30,
    calibrate: int = 30,
    steps: int = 90,
    batch: int = 4,
    budget: int = 2,
    width: int = 32,
    rate: float = 1e-2,
    importance: str | None = "attention",
    thinking: str = "given",
) -> Recipe:
    """Warm-up of the teacher on whole videos, then mutual learning, all weights trained."""
    setting = Setting(
        data=Path(data),
        videos=Path(videos),
        store=Path(store or f"{videos}.features"),
        slm=slm,
        teacher=teacher,
        backbone=backbone,
        sampler="grid(fps=1.0, least=1)",
        width=width,
        student={"instruction": "", "layers": 1, "heads": 2},
        thinking=thinking,  # pyright: ignore[reportArgumentType]
    )
    schedule = Schedule(
        budgets=(Stage(0.3, (4 * budget,)), Stage(0.3, (2 * budget,)), Stage(0.4, (budget,))),
        noise=(1.0, 0.0),
        weights=LossWeights(teacher_to_student=1.0),
    )
    alone = {"teacher": rate}
    phases = (
        Phase("warm-up", Answering(), warmup, batch, alone, schedule),
        Phase("calibrate", Answering("random", (budget, 8)), calibrate, batch, alone, schedule),
        Phase(
            "mutual",
            Mutual(importance=importance),  # pyright: ignore[reportArgumentType]
            steps,
            batch,
            {"student": rate, "slm": rate / 10, "teacher": rate / 10},
            schedule,
        ),
    )
    return Recipe(
        name="tiny",
        phases=phases,
        build=setting.build,
        data={"train": setting.open},
        run=Run(),
        plan=lambda: setting.note,
    )
