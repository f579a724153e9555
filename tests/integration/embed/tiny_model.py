"""A model folder as sentence-transformers lays it out, with a model of a few numbers: a vector per word."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from tokenizers import Tokenizer, models, pre_tokenizers, processors

WORDS = {"[UNK]": 0, "[CLS]": 1, "red": 2, "green": 3, "apple": 4, "ask": 5, ":": 6}
TABLE = np.array(
    [[0, 0, 0, 1], [1, 1, 0, 0], [2, 0, 0, 0], [0, 2, 0, 0], [0, 0, 2, 0], [0, 0, 1, 3], [0, 0, 0, 0]], dtype=np.float32
)


def make_folder(folder: Path, *, pooled: bool = False, extra_input: str = "", **files: dict[str, Any]) -> Path:
    """Writes the folder. `pooled` = the model averages by itself; `files` = its configuration files by stem."""
    folder.mkdir(parents=True, exist_ok=True)
    onnx.save(_model(pooled, extra_input), folder / "model.onnx")
    tokenizer = Tokenizer(models.WordLevel(WORDS, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(single="[CLS] $A", special_tokens=[("[CLS]", 1)])
    tokenizer.enable_truncation(3)  # as such files often have it: counting must not cut
    tokenizer.save(str(folder / "tokenizer.json"))
    for stem, content in files.items():
        path = folder / ("1_Pooling/config.json" if stem == "pooling" else f"{stem}.json")
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(content))
    return folder


def _model(pooled: bool, extra_input: str) -> onnx.ModelProto:
    nodes = [helper.make_node("Gather", ["table", "input_ids"], ["tokens"])]
    output: str = "tokens"
    shape: list[str | int | None] = ["batch", "width", 4]
    if pooled:
        nodes.append(helper.make_node("ReduceMean", ["tokens", "axes"], ["mean"], keepdims=0))
        output, shape = "mean", ["batch", 4]
    names = ["input_ids", *(["attention_mask"] if not extra_input else [extra_input])]
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info(name, TensorProto.INT64, ["batch", "width"]) for name in names],
        [helper.make_tensor_value_info(output, TensorProto.FLOAT, shape)],
        [numpy_helper.from_array(TABLE, "table"), numpy_helper.from_array(np.array([1]), "axes")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    onnx.checker.check_model(model)
    return model
