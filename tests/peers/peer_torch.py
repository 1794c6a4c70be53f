# SPDX-License-Identifier: Apache-2.0
"""PyTorch's scaled_dot_product_attention on the CPU, with each of its backends, and flex_attention
compiled. Outputs are allocated by the library in each call, as for its users."""
from arm import Arm


class Torch(Arm):
    package = "torch"
    backend = ""

    def open(self, case, data):
        import torch
        torch.set_num_threads(case.threads)
        self.torch, self.case = torch, case
        kind = torch.float32 if case.dtype == "f32" else torch.bfloat16
        self.x = [torch.from_numpy(getattr(data, n))[None].to(kind, copy=True) for n in "qkv"]
        self.grad_o = torch.from_numpy(data.grad_o)[None].to(kind, copy=True)
        if case.do == "bwd":
            for x in self.x:
                x.requires_grad_()
            self.forward_o = self._attend()

    def _attend(self):
        from torch.nn.attention import SDPBackend, sdpa_kernel
        with sdpa_kernel(getattr(SDPBackend, self.backend)):
            return self.torch.nn.functional.scaled_dot_product_attention(
                *self.x, is_causal=self.case.causal, enable_gqa=self.case.H != self.case.Hkv)

    def call(self):
        if self.case.do == "bwd":
            self.result = self.torch.autograd.grad(self.forward_o, self.x, self.grad_o,
                                                   retain_graph=True)
        else:
            with self.torch.no_grad():
                self.result = (self._attend(),)

    def outputs(self):
        names = ("dq", "dk", "dv") if self.case.do == "bwd" else ("o",)
        return {n: x[0].detach().float().numpy() for n, x in zip(names, self.result)}


class Flash(Torch):
    name, backend = "torch SDPA flash", "FLASH_ATTENTION"
    computes = ("tiles with an online softmax, f32 accumulation, P in the inputs' dtype; causal loops "
                "end at the diagonal tile; backward recomputes P and excludes the forward pass")

    def refuses(self, case):
        return None


class Unfused(Torch):
    name, backend = "torch SDPA math", "MATH"
    computes = ("matrix product, softmax, matrix product, with the scores stored whole; in bf16 where the "
                "inputs are (its usual f32 is slower); masked ones are computed too; backward reads the "
                "stored ones, which saves one product of five")

    def refuses(self, case):
        if case.do == "step" or case.Tk > 2048:
            return "it stores all scores: measured up to 2048 tokens"
        return None

    def open(self, case, data):
        import torch
        torch.backends.cuda.allow_fp16_bf16_reduction_math_sdp(True)     # of the CPU too
        super().open(case, data)


class Flex(Torch):
    name = "torch flex_attention"
    computes = "compiled for the shape by the machine's C++ compiler; f32 accumulation"

    def refuses(self, case):
        return None if case.do == "step" else "the fixed kernel is the faster one with many queries"

    def open(self, case, data):
        super().open(case, data)
        from torch.nn.attention.flex_attention import flex_attention
        self.torch._dynamo.reset()
        self.compiled = self.torch.compile(flex_attention, dynamic=False)

    def _attend(self):
        return self.compiled(*self.x, enable_gqa=self.case.H != self.case.Hkv)


ARMS = (Flash, Unfused, Flex)
