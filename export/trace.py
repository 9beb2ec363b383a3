"""A torch module to an ONNX core graph with named dynamic axes.

Knows nothing of what the module computes.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Sequence
from contextlib import redirect_stdout

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn
from torch.export import Dim

from bundle.graphs import Tensor as Named
from export.search_graph import OPSET

TORCH_TYPES = {"int64": torch.int64, "int32": torch.int32, "float32": torch.float32, "bool": torch.bool}


def trace(module: nn.Module, inputs: Sequence[Named], outputs: Sequence[str], sizes: dict[str, int]) -> onnx.ModelProto:
    """Export a module whose forward takes tensors in the order of `inputs`; `sizes` are example sizes of named axes."""
    dims = {name: Dim(name) for name in sizes}
    examples = tuple(_example(one, sizes) for one in inputs)
    shapes = tuple({i: dims[axis] for i, axis in enumerate(one.axes) if isinstance(axis, str)} for one in inputs)
    with warnings.catch_warnings(), redirect_stdout(io.StringIO()), torch.no_grad():
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            module.eval(),
            examples,
            dynamo=True,
            opset_version=OPSET,
            input_names=[one.name for one in inputs],
            output_names=list(outputs),
            dynamic_shapes=(shapes,) if _takes_varargs(module) else shapes,
        )
    if program is None:
        raise RuntimeError("torch.onnx.export returned nothing")
    return without_unread(fold_transposes(unfold_gemms(bare(program.model_proto))))


def without_unread(model: onnx.ModelProto) -> onnx.ModelProto:
    """Without names for outputs of onnxruntime's own nodes that nobody reads, as what has a name is made.

    Those that are read get a type: onnxruntime knows none for the energies of its `MultiHeadAttention`.
    """
    read = {name for node in model.graph.node for name in node.input} | {one.name for one in model.graph.output}
    for node in model.graph.node:
        if node.domain:
            node.output[:] = [name if name in read else "" for name in node.output]
            names = [name for name in node.output if name and name not in {one.name for one in model.graph.output}]
            model.graph.value_info.extend(
                helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in names
            )
    return model


def bare(model: onnx.ModelProto) -> onnx.ModelProto:
    """Without the exporter's notes: stack traces, which hold the paths of this machine, and names of its passes."""
    del model.graph.metadata_props[:], model.graph.value_info[:], model.metadata_props[:], model.functions[:]
    for node in model.graph.node:
        del node.metadata_props[:]
        node.ClearField("doc_string")
    for named in (*model.graph.input, *model.graph.output, *model.graph.initializer):
        named.ClearField("metadata_props")
        named.ClearField("doc_string")
    model.graph.ClearField("doc_string")
    model.ClearField("doc_string")
    return model


def _takes_varargs(module: nn.Module) -> bool:
    """Whether forward is declared with *args: torch.export then wants the shapes as one tuple."""
    return bool(module.forward.__code__.co_flags & 0x04)


def _example(named: Named, sizes: dict[str, int]) -> Tensor:
    shape = [axis if isinstance(axis, int) else sizes[axis] for axis in named.axes]
    return torch.ones(shape, dtype=TORCH_TYPES[named.dtype])


def unfold_gemms(model: onnx.ModelProto) -> onnx.ModelProto:
    """Turn x W' + b of rows, one node, into transpose, product and sum, which is what gets quantised."""
    nodes = []
    for node in model.graph.node:
        given = {one.name: helper.get_attribute_value(one) for one in node.attribute}
        if node.op_type != "Gemm" or given != {"alpha": 1.0, "beta": 1.0, "transA": 0, "transB": 1}:
            nodes.append(node)
            continue
        (x, weight, bias), out = node.input, node.output[0]
        nodes += [
            helper.make_node("Transpose", [weight], [f"{out}_weight"], perm=[1, 0]),
            helper.make_node("MatMul", [x, f"{out}_weight"], [f"{out}_product"], name=node.name),
            helper.make_node("Add", [f"{out}_product", bias], [out]),
        ]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    return model


def fold_transposes(model: onnx.ModelProto) -> onnx.ModelProto:
    """Turn transposed constants (a tied embedding) into constants, so that they can be quantised and packed."""
    constants = {one.name: one for one in model.graph.initializer}
    kept = []
    for node in model.graph.node:
        if node.op_type == "Transpose" and node.input[0] in constants:
            array = numpy_helper.to_array(constants[node.input[0]])
            order = next((list(a.ints) for a in node.attribute if a.name == "perm"), None)
            model.graph.initializer.append(
                numpy_helper.from_array(np.ascontiguousarray(array.transpose(order)), node.output[0])
            )
        else:
            kept.append(node)
    del model.graph.node[:]
    model.graph.node.extend(kept)
    return model
