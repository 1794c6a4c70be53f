# SPDX-License-Identifier: Apache-2.0
"""OpenVINO's CPU plugin: the operator ScaledDotProductAttention by itself, and for decoding the same
one fused with a cache that the library keeps."""
from arm import Arm, dense_only


class OpenVino(Arm):
    package = "openvino"

    def _prepare(self, case, model, dtype):
        import openvino
        settings = {"INFERENCE_NUM_THREADS": case.threads, "NUM_STREAMS": 1,
                    "PERFORMANCE_HINT": "LATENCY", "ENABLE_CPU_PINNING": False,
                    "INFERENCE_PRECISION_HINT": dtype, "KV_CACHE_PRECISION": dtype}
        self.case = case
        self.request = openvino.Core().compile_model(model, "CPU", settings).create_infer_request()

    def _type(self, case):
        import openvino
        return openvino.Type.f32 if case.dtype == "f32" else openvino.Type.bf16

    def _tensor(self, case, x):
        """A tensor of its own with x in it, rounded to the case's dtype."""
        import ml_dtypes
        import numpy as np
        import openvino
        tensor = openvino.Tensor(self._type(case), list(x.shape))
        kind = np.dtype(np.float32 if case.dtype == "f32" else ml_dtypes.bfloat16)
        tensor.data[:] = x.astype(kind).view(tensor.data.dtype)
        return tensor

    def call(self):
        self.request.infer()

    def _result(self):
        import ml_dtypes
        import numpy as np
        x = self.request.get_output_tensor(0).data
        return x if x.dtype == np.float32 else x.view(ml_dtypes.bfloat16).astype(np.float32)


class Sdpa(OpenVino):
    name = "openvino SDPA"
    computes = ("blocks of query rows with all their scores at once, softmax in f32, P in the inputs' "
                "dtype, f32 accumulation; masked scores are computed too")

    def refuses(self, case):
        return "the arm with a cache is for that" if case.do == "step" else dense_only(case)

    def open(self, case, data):
        import openvino
        import openvino.opset13 as op
        kind = self._type(case)
        x = [op.parameter([1, case.H, case.T, case.D], kind) for _ in "qkv"]
        o = op.scaled_dot_product_attention(*x, causal=case.causal)
        self._prepare(case, openvino.Model([op.result(o)], x), case.dtype)
        for i, name in enumerate("qkv"):
            self.request.set_input_tensor(i, self._tensor(case, getattr(data, name)[None]))

    def outputs(self):
        return {"o": self._result()[0]}


def _cache(op, name, new, beam, case, sinks):
    """The keys or values so far with the new ones appended, in the form that the plugin fuses: with
    a reordering of beams in between."""
    import numpy as np
    import openvino
    from openvino.op.util import Variable, VariableInfo
    info = VariableInfo()
    info.data_shape = openvino.PartialShape([-1, case.Hkv, -1, case.D])
    info.data_type, info.variable_id = new.get_element_type(), name
    variable = Variable(info)
    batch = op.gather(op.shape_of(new), op.constant(np.array([0])), op.constant(0))
    empty = op.concat([batch, op.constant(np.array([case.Hkv, 0, case.D]))], axis=0)
    past = op.read_value(op.broadcast(op.constant(0.0, new.get_element_type()), empty), variable)
    whole = op.concat([op.gather(past, beam, op.constant(0)), new], axis=2)
    sinks.append(op.assign(whole, variable))
    return whole


def _repeat(op, x, case):
    """Each head of keys or values for its group of query heads; the plugin does not copy them."""
    import numpy as np
    if case.H == case.Hkv:
        return x
    group = op.constant(np.array([1, 1, case.H // case.Hkv, 1, 1]))
    x = op.broadcast(op.unsqueeze(x, op.constant(2)), group, broadcast_spec="BIDIRECTIONAL")
    return op.reshape(x, op.constant(np.array([0, case.H, -1, case.D])), True)


class Cached(OpenVino):
    name = "openvino SDPA with cache"
    computes = ("one query against a cache that grows by one token a call: it is set back before each "
                "burst so that the burst's mean length is the stated one")

    def refuses(self, case):
        return None if case.do == "step" else "for one query at a time"

    def open(self, case, data):
        import numpy as np
        import openvino
        import openvino.opset13 as op
        kind, sinks = self._type(case), []
        q = op.parameter([-1, case.H, -1, case.D], kind)
        new = [op.parameter([-1, case.Hkv, -1, case.D], kind) for _ in "kv"]
        beam = op.parameter([-1], openvino.Type.i32)
        k, v = (_cache(op, n, x, beam, case, sinks) for n, x in zip("kv", new))
        o = op.scaled_dot_product_attention(q, _repeat(op, k, case), _repeat(op, v, case))
        o = op.transpose(o, op.constant(np.array([0, 2, 1, 3])))     # as in a model
        self.data, self.caches = data, {}
        model = openvino.Model([op.result(o)], sinks, [q, *new, beam])
        self._prepare(case, model, case.dtype)
        for i, x in enumerate((data.q, data.k[:, -1:], data.v[:, -1:])):
            self.request.set_input_tensor(i, self._tensor(case, x[None]))
        self.request.set_input_tensor(3, openvino.Tensor(np.zeros(1, np.int32)))

    def _set_length(self, length):
        if length not in self.caches:
            self.caches = {length: {n: self._tensor(self.case, getattr(self.data, n)[None, :, :length])
                                    for n in "kv"}}
        for state in self.request.query_state():
            state.state = self.caches[length][state.name]

    def before_burst(self, calls):
        self._set_length(self.case.Tk - 1 - (calls + 1) // 2)

    def before_check(self):
        self._set_length(self.case.Tk - 1)
        self.call()

    def outputs(self):
        return {"o": self._result()[0].transpose(1, 0, 2)}


ARMS = (Sdpa, Cached)
