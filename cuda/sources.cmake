# The sources of the CUDA module, relative to this folder: its build and that of the emulated module
# of the tests both list them from here.
set(stratoperf_cuda_sources
  consensus/calibration.cpp
  consensus/engine.cpp
  consensus/grid_buffers.cpp
  consensus/plan.cpp
  consensus/round.cpp
  consensus/round_operation.cpp
  consensus/slots.cpp
  copy/buffer.cpp
  copy/copy_operation.cpp
  device/device.cpp
  device/doorbell.cpp
  device/error.cpp
  device/event.cpp
  device/graph.cpp
  device/memory.cpp
  device/mode.cpp
  device/process.cpp
  device/stream.cpp
  round_trip/empty_operation.cpp
)
# What nvcc compiles.
set(stratoperf_cuda_kernels
  consensus/block_kernels.cu
  consensus/grid_kernels.cu
  round_trip/kernels.cu
)
set(stratoperf_cuda_bindings
  bindings/consensus.cpp
  bindings/copy.cpp
  bindings/device.cpp
  bindings/errors.cpp
  bindings/round_trip.cpp
  bindings/topics.cpp
)
