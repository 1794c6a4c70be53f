# SPDX-License-Identifier: Apache-2.0
"""ggml, the library of llama.cpp: flash_attn_ext on the CPU, in a graph of one node. Its work buffer
is aligned to cache lines, which its own allocation is not, and its threads are kept."""
import ctypes
import math

from arm import Arm, dense_only

ALIGN = 64


def _aligned(size):
    import numpy as np
    raw = np.zeros(size + ALIGN, np.uint8)
    first = -raw.ctypes.data % ALIGN
    return raw[first:first + size]


class Flash(Arm):
    name = "ggml flash_attn_ext"
    package = "ggml-python"
    computes = ("tiles of 64 x 64, q and o in f32, keys and values f32 or f16; f32 accumulation, but "
                "f16 for one query on f16; causal through a mask tensor, wholly masked tiles skipped")

    def refuses(self, case):
        return dense_only(case)

    def stored(self, case):
        return "f32" if case.dtype == "f32" else "f16"

    def _tensor(self, x, kind, *shape):
        """A ggml tensor on memory of ours; `shape` with the innermost dimension first."""
        import numpy as np
        tensor = self.ggml.ggml_new_tensor_4d(self.context, kind, *shape)
        held = _aligned(x.nbytes)
        held[:] = np.ascontiguousarray(x).view(np.uint8).reshape(-1)
        tensor.contents.data = held.ctypes.data
        self.kept.append(held)
        return tensor

    def _mask(self, case):
        import numpy as np
        hidden = np.arange(case.Tk)[None, :] > np.arange(case.T)[:, None]
        mask = np.where(hidden, np.float16(-np.inf), np.float16(0)).astype(np.float16)
        return self._tensor(mask, self.ggml.GGML_TYPE_F16, case.Tk, case.T, 1, 1)

    def open(self, case, data):
        import ggml
        import numpy as np
        self.ggml, self.case, self.kept = ggml, case, []
        self.context = ggml.ggml_init(ggml.ggml_init_params(mem_size=1 << 20, mem_buffer=None,
                                                            no_alloc=True))
        kind, dtype = (ggml.GGML_TYPE_F32, np.float32) if case.dtype == "f32" \
            else (ggml.GGML_TYPE_F16, np.float16)
        q = self._tensor(data.q, ggml.GGML_TYPE_F32, case.D, case.T, case.H, 1)
        k, v = (self._tensor(x.astype(dtype), kind, case.D, case.Tk, case.Hkv, 1)
                for x in (data.k, data.v))
        o = ggml.ggml_flash_attn_ext(self.context, q, k, v, self._mask(case) if case.causal else None,
                                     1 / math.sqrt(case.D), 0.0, 0.0)
        ggml.ggml_flash_attn_ext_set_prec(o, ggml.GGML_PREC_F32)
        self.result = _aligned(data.q.nbytes)
        o.contents.data = self.result.ctypes.data
        self._plan(o)

    def _plan(self, o):
        ggml = self.ggml
        self.graph = ggml.ggml_new_graph(self.context)
        ggml.ggml_build_forward_expand(self.graph, o)
        wanted = ggml.ggml_threadpool_params_default(self.case.threads)
        self.pool = ggml.ggml_threadpool_new(ctypes.byref(wanted))
        self.plan = ggml.ggml_graph_plan(self.graph, self.case.threads, self.pool)
        self.work = _aligned(self.plan.work_size + ALIGN)
        self.plan.work_data = ctypes.cast(self.work.ctypes.data, ctypes.POINTER(ctypes.c_uint8))

    def call(self):
        self.ggml.ggml_graph_compute(self.graph, ctypes.byref(self.plan))

    def outputs(self):
        import numpy as np
        o = self.result.view(np.float32).reshape(self.case.T, self.case.H, self.case.D)
        return {"o": o.transpose(1, 0, 2)}

    def close(self):
        self.ggml.ggml_threadpool_free(self.pool)
        self.ggml.ggml_free(self.context)
        super().close()


ARMS = (Flash,)
