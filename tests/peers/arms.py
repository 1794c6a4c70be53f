# SPDX-License-Identifier: Apache-2.0
"""All arms that are not ours."""
import peer_ggml
import peer_onnxruntime
import peer_openvino
import peer_torch

ALL = (*peer_onnxruntime.ARMS, *peer_torch.ARMS, *peer_openvino.ARMS, *peer_ggml.ARMS)


def find(name):
    return next(arm for arm in ALL if arm.name == name)
