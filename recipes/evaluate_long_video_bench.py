"""LongVideoBench, validation split: uniform frames and published selectors beside ``hfs``.

    python recipes/evaluate_long_video_bench.py                      # what to run and to expect
    python recipes/evaluate_long_video_bench.py lvb_val.json VIDEOS  # run it

VIDEOS holds the 753 videos as ``video_path`` names them; one GPU of 24 GB or more. Where the frames
fall on the evidence is measured in the same run, from ``position``; add ``--truth kfs_scenes.csv``
for KFS-Bench's figures. Without an answerer, and so without a GPU for the model, the first command
still makes and judges the frames.
"""

import sys

from published import LLAVA_FORMAT, LLAVA_VIDEO, Published, Setup, main

SETUPS = (
    Setup(
        "long_video_bench",
        "Qwen/Qwen2.5-VL-7B-Instruct",
        32,
        (
            Published("uniform", 58.6, "uniform"),
            Published("BOLT", 60.0, "bolt"),
            Published("MDP3", 60.0, "mdp3", secondary=True),
            Published("A.I.R.", 61.4),
            Published("WFS-SB", 64.4, "wfs"),
        ),
    ),
    Setup("long_video_bench", "Qwen/Qwen2.5-VL-7B-Instruct", 8, (Published("GIFT", 58.3, "gift"),)),
    Setup(
        "long_video_bench",
        "Qwen/Qwen3-VL-8B-Instruct",
        16,
        (
            Published("uniform", 55.7, "uniform", secondary=True),
            Published("BOLT", 54.6, "bolt", secondary=True),
            Published("MDP3", 55.6, "mdp3", secondary=True),
            Published("AKS", 57.1, "aks", secondary=True),
            Published("T*", 57.5, secondary=True),
            Published("VSLS", 58.7, secondary=True),
            Published("HiMu", 64.2, secondary=True),
        ),
        "all in HiMu's own controlled table",
    ),
    Setup(
        "long_video_bench",
        LLAVA_VIDEO,
        64,
        (
            Published("AKS", 62.7, "aks"),
            Published("FOCUS", 63.5, "focus"),
            Published("TSPO", 63.9),
        ),
        LLAVA_FORMAT,
        runs=False,
    ),
)

if __name__ == "__main__":
    main(SETUPS, sys.argv[1:])
