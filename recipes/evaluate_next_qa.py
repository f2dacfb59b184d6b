"""NExT-QA, multiple choice, validation split: uniform frames and selectors beside ``hfs``.

    python recipes/evaluate_next_qa.py                # the commands, and what to expect
    python recipes/evaluate_next_qa.py val.csv VIDEOS # run them

VIDEOS holds the 570 videos by number, alone or in VidOR's folders; one GPU of 24 GB or more. Papers
mostly report the validation split; with ``test.csv`` the same commands run the test split, as
lmms-eval does. Add ``--truth gsub_val.json`` (NExT-GQA) to measure where the frames fall. We know
of no published uniform row for this model and number of frames.
"""

import sys

from published import Published, Setup, main

SETUPS = (
    Setup(
        "next_qa",
        "Qwen/Qwen2.5-VL-7B-Instruct",
        32,
        (Published("A.I.R.", 81.3, secondary=True),),
    ),
)

if __name__ == "__main__":
    main(SETUPS, sys.argv[1:])
