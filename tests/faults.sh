#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A sample of all calls that can fail, on the paths of run, claims and merge: faults/faults.c.
exec "$BUILD/tests/faults/faults" "$BUILD/tests/faults/attest"
