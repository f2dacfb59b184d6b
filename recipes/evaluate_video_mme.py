"""Video-MME, without subtitles: uniform frames and published selectors beside ``hfs``.

    python recipes/evaluate_video_mme.py                          # the commands, and what to expect
    python recipes/evaluate_video_mme.py videomme.parquet VIDEOS  # run them

VIDEOS holds the 900 videos (101 GB) by YouTube id or number; one GPU of 24 GB or more. Expect the
uniform row within a point of the published one: prompt, resolution and candidates (one frame a
second, looked at by SigLIP 2) differ between papers. With subtitles: add ``--subtitles`` and a
folder ``--subtitles-from``; that is another setting, with its own rows.
"""

import sys

from published import LLAVA_FORMAT, LLAVA_VIDEO, Published, Setup, main

SETUPS = (
    Setup(
        "video_mme",
        "Qwen/Qwen2.5-VL-7B-Instruct",
        32,
        (
            Published("uniform", 62.2, "uniform"),
            Published("BOLT", 64.0, "bolt"),
            Published("MDP3", 63.8, "mdp3", secondary=True),
            Published("WFS-SB", 64.4, "wfs"),
            Published("A.I.R.", 65.0),
        ),
    ),
    Setup(
        "video_mme",
        "Qwen/Qwen2.5-VL-7B-Instruct",
        8,
        (Published("GIFT", 58.1, "gift", secondary=True),),
    ),
    Setup(
        "video_mme",
        "Qwen/Qwen3-VL-8B-Instruct",
        16,
        (
            Published("uniform", 66.1, "uniform", secondary=True),
            Published("MDP3", 67.5, "mdp3", secondary=True),
            Published("AKS", 68.0, "aks", secondary=True),
            Published("BOLT", 68.7, "bolt", secondary=True),
            Published("T*", 69.8, secondary=True),
            Published("VSLS", 70.0, secondary=True),
            Published("HiMu", 73.2, secondary=True),
        ),
        "all in HiMu's own controlled table",
    ),
    Setup(
        "video_mme",
        LLAVA_VIDEO,
        64,
        (Published("AKS", 65.3, "aks"), Published("FOCUS", 65.4, "focus")),
        f"FOCUS's control: uniform 64.4, top-k 62.9; {LLAVA_FORMAT}",
        runs=False,
    ),
)

if __name__ == "__main__":
    main(SETUPS, sys.argv[1:])
