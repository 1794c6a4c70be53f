# SPDX-License-Identifier: Apache-2.0
"""ONNX Runtime's CPU provider: three operators of one node each, called through an I/O binding, so
that no tensor is copied at the border. Threads spin as they do by default."""
from arm import Arm, dense_only

DOMAIN = "com.microsoft"


def _session(node, inputs, outputs, threads):
    import onnxruntime
    from onnx import helper
    graph = helper.make_graph([node], "peer", [helper.make_tensor_value_info(*x) for x in inputs],
                              [helper.make_tensor_value_info(*x) for x in outputs])
    opsets = [helper.make_opsetid("", 23), helper.make_opsetid(DOMAIN, 1)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=10)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(model.SerializeToString(), options,
                                        providers=["CPUExecutionProvider"])


class OnnxRuntime(Arm):
    package = "onnxruntime"

    def stored(self, case):
        return "f32" if case.dtype == "f32" else "f16"

    def _types(self, case):
        import numpy as np
        from onnx import TensorProto
        return (np.float32, TensorProto.FLOAT) if case.dtype == "f32" \
            else (np.float16, TensorProto.FLOAT16)

    def _bind(self, node, feeds, results, case, shared=()):
        """`feeds` and `results` map names to arrays; `shared` pairs an input with the output that
        is the same memory."""
        import onnxruntime
        from onnx import helper

        def info(arrays):
            return [(n, helper.np_dtype_to_tensor_dtype(a.dtype), a.shape) for n, a in arrays.items()]
        self.session = _session(node, info(feeds), info(results), case.threads)
        self.binding = self.session.io_binding()
        value = {n: onnxruntime.OrtValue.ortvalue_from_numpy(a)
                 for n, a in {**feeds, **results}.items()}
        value.update({output: value[given] for given, output in shared})
        for name in feeds:
            self.binding.bind_ortvalue_input(name, value[name])
        for name in results:
            self.binding.bind_ortvalue_output(name, value[name])
        self.kept = value
        self.result = results["o"]

    def call(self):
        self.session.run_with_iobinding(self.binding)


def _copy(x, dtype):
    """[1, ...] in memory of its own: the operator may write into it."""
    import numpy as np
    return np.array(x[None], dtype, order="C")


def _tokens_first(x, dtype):
    """[heads, rows, D] -> [1, rows, heads * D], the layout of the com.microsoft operators."""
    return _copy(x.transpose(1, 0, 2).reshape(x.shape[1], -1), dtype)


def _heads_first(x, case):
    return x.reshape(case.T, case.H, case.D).transpose(1, 0, 2)


class MultiHead(OnnxRuntime):
    name = "onnxruntime MultiHeadAttention"
    computes = ("tiles with an online softmax (MLAS flash), f32 throughout; f16 is converted to f32 "
                "before and back after")

    def refuses(self, case):
        if case.causal or case.do == "step":
            return "its flash kernel has no mask and gains nothing from one query"
        return dense_only(case)

    def open(self, case, data):
        import numpy as np
        from onnx import helper
        dtype, _ = self._types(case)
        feeds = {n: _tokens_first(getattr(data, n), dtype) for n in "qkv"}
        node = helper.make_node("MultiHeadAttention", list("qkv"), ["o"], domain=DOMAIN,
                                num_heads=case.H)
        self.case = case
        self._bind(node, feeds, {"o": np.zeros_like(feeds["q"])}, case)

    def outputs(self):
        return {"o": _heads_first(self.result, self.case)}


class GroupQuery(OnnxRuntime):
    name = "onnxruntime GroupQueryAttention"
    computes = ("causal, masked keys are not computed; f32 accumulation; writes keys and values into "
                "its cache in each call; the cache is shared, not copied")

    def refuses(self, case):
        if case.do == "fwd" and not case.causal:
            return "it is always causal"
        return dense_only(case)

    def open(self, case, data):
        import numpy as np
        from onnx import helper
        dtype, _ = self._types(case)
        self.case = case
        fresh = slice(case.Tk - case.T, case.Tk)       # the tokens that the call appends
        cache = (1, case.Hkv, case.Tk, case.D)
        feeds = {"q": _tokens_first(data.q, dtype)}
        feeds.update({n: _tokens_first(getattr(data, n)[:, fresh], dtype) for n in "kv"})
        results = {"o": np.zeros_like(feeds["q"]), "k_out": np.zeros(cache, dtype),
                   "v_out": np.zeros(cache, dtype)}
        names, shared = ["q", "k", "v", "", ""], ()
        if case.do == "step":
            feeds["k_in"], feeds["v_in"] = _copy(data.k, dtype), _copy(data.v, dtype)
            names, shared = ["q", "k", "v", "k_in", "v_in"], (("k_in", "k_out"), ("v_in", "v_out"))
        feeds["last"] = np.array([case.Tk - 1], np.int32)
        feeds["total"] = np.array(case.Tk, np.int32)
        node = helper.make_node("GroupQueryAttention", [*names, "last", "total"],
                                ["o", "k_out", "v_out"], domain=DOMAIN, num_heads=case.H,
                                kv_num_heads=case.Hkv)
        self._bind(node, feeds, results, case, shared)

    def outputs(self):
        return {"o": _heads_first(self.result, self.case)}


class Attention23(OnnxRuntime):
    name = "onnxruntime Attention-23"
    computes = "the ONNX operator: scores are stored whole, masked ones are computed too"

    def refuses(self, case):
        return "stores scores and has no cache" if case.do == "step" else dense_only(case)

    def open(self, case, data):
        import numpy as np
        from onnx import helper
        dtype, _ = self._types(case)
        feeds = {n: _copy(getattr(data, n), dtype) for n in "qkv"}
        node = helper.make_node("Attention", list("qkv"), ["o"], is_causal=int(case.causal))
        self._bind(node, feeds, {"o": np.zeros_like(feeds["q"])}, case)

    def outputs(self):
        return {"o": self.result[0]}


ARMS = (MultiHead, GroupQuery, Attention23)
