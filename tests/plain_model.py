"""A teacher and some pictures -> what transformers' own processor and the plain model make of them.

The reference of the tests: pixels through the model's own tower inside its own forward.
"""

from typing import Any

import torch
from torch import Tensor

KINDS = {
    "qwen3_vl": "Qwen3VLProcessor",
    "qwen2_5_vl": "Qwen2_5_VLProcessor",
    "smolvlm": "SmolVLMProcessor",
    "llava_onevision": "LlavaOnevisionProcessor",
}
OPTIONS = {
    "smolvlm": {"image_seq_len": 4},
    "llava_onevision": {"num_image_tokens": 16, "vision_feature_select_strategy": "full"},
}


def processor(teacher: Any) -> Any:
    """The family's processor; its video part, which needs torchvision, is a blank."""
    import transformers

    family = teacher.model.config.model_type

    class Kind(getattr(transformers, KINDS[family])):
        def check_argument_for_proper_class(self, *_: Any) -> None:
            """Without torchvision there is no class to check against."""

    video = object.__new__(transformers.BaseVideoProcessor)
    video.num_frames = video.fps = 1  # read by SmolVLM's, used for videos alone
    return Kind(
        teacher.image_processor,
        teacher.tokenizer,
        video,
        chat_template=teacher.prompter.template,
        **OPTIONS.get(family, {}),
    )


def inputs(teacher: Any, frames: Tensor, times: list[float], text: str) -> dict[str, Tensor]:
    """The model's inputs for frames with their times, then a text: `apply_chat_template`'s own."""
    from PIL import Image

    content: list[dict[str, Any]] = []
    for time, frame in zip(times, frames, strict=True):
        image = Image.fromarray(frame.permute(1, 2, 0).numpy())
        mark = {"type": "text", "text": f"<{time:.1f} seconds>"}
        content += [mark, {"type": "image", "image": image}]
    made = processor(teacher).apply_chat_template(
        [{"role": "user", "content": [*content, {"type": "text", "text": text}]}],
        add_generation_prompt=True,
        tokenize=True,
        return_dict=True,
        return_tensors="pt",
        processor_kwargs=dict(teacher.tower.options),
    )
    return dict(made)


@torch.no_grad()
def log_probabilities(teacher: Any, given: dict[str, Tensor], answer: tuple[int, ...]) -> Tensor:
    """Of each of the answer's tokens after the prompt, by the plain model: "a v"."""
    given, a = dict(given), len(answer)
    grown = torch.cat([given["input_ids"], torch.tensor([answer[:-1]], dtype=torch.long)], dim=1)
    for name in ("attention_mask", "mm_token_type_ids"):
        if name in given:
            fill = torch.full((1, a - 1), int(name == "attention_mask"))
            given[name] = torch.cat([given[name], fill], dim=1)
    logits = teacher.model(**(given | {"input_ids": grown}), use_cache=False).logits
    return logits[0, -a:].log_softmax(-1)
