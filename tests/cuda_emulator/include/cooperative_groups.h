#pragma once
#error "cuda_emulator_refuses_cooperative_groups: see tests/cuda_emulator/README.md"
