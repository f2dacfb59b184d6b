"""MLVU, dev set, multiple choice: uniform frames and published selectors beside ``hfs``.

    python recipes/evaluate_mlvu.py                     # the commands, and what to expect
    python recipes/evaluate_mlvu.py mlvu.parquet VIDEOS # run them; or the authors' seven JSON files

VIDEOS holds the 1,122 videos, in the authors' folders (``1_plotQA`` ...) or in one; one GPU of
24 GB or more. Papers quote M-Avg without saying which: the table has both, the mean over tasks
(the paper, lmms-eval) and the mean over questions (VLMEvalKit).
"""

import sys

from published import LLAVA_FORMAT, LLAVA_VIDEO, Published, Setup, main

SETUPS = (
    Setup(
        "mlvu",
        "Qwen/Qwen2.5-VL-7B-Instruct",
        32,
        (
            Published("uniform", 62.5, "uniform"),
            Published("MDP3", 66.2, "mdp3", secondary=True),
            Published("A.I.R.", 67.5),
            Published("BOLT", 68.4, "bolt"),
            Published("WFS-SB", 70.4, "wfs"),
        ),
    ),
    Setup("mlvu", "Qwen/Qwen2.5-VL-7B-Instruct", 8, (Published("GIFT", 62.8, "gift"),)),
    Setup("mlvu", LLAVA_VIDEO, 64, (Published("TSPO", 76.3),), LLAVA_FORMAT, runs=False),
)

if __name__ == "__main__":
    main(SETUPS, sys.argv[1:])
