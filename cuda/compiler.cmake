# Finds the CUDA compiler as STRATOPERF_CUDA asks, and sets `stratoperf_with_cuda`.

# The first release that knows all that the sources use.
set(oldest_cuda 12.0)

set(stratoperf_with_cuda OFF)
if(STRATOPERF_CUDA)
  include(CheckLanguage)
  check_language(CUDA)
  if(CMAKE_CUDA_COMPILER)
    # Chosen before the language is enabled, which would set a single old default otherwise.
    if(NOT DEFINED CMAKE_CUDA_ARCHITECTURES AND NOT DEFINED ENV{CUDAARCHS})
      execute_process(COMMAND "${CMAKE_CUDA_COMPILER}" --list-gpu-arch
        OUTPUT_VARIABLE known OUTPUT_STRIP_TRAILING_WHITESPACE)
      string(REGEX MATCHALL "[0-9]+" known "${known}")
      list(SORT known COMPARE NATURAL)
      # Code for any device from sm_75 on: native from sm_80, sm_90 and each newer one, and an
      # intermediate form of the oldest and the newest, which the driver compiles for all others.
      set(CMAKE_CUDA_ARCHITECTURES 75-virtual)
      foreach(architecture IN LISTS known)
        if(architecture EQUAL 80 OR architecture GREATER_EQUAL 90)
          list(APPEND CMAKE_CUDA_ARCHITECTURES ${architecture}-real)
        endif()
      endforeach()
      list(GET known -1 newest)
      list(APPEND CMAKE_CUDA_ARCHITECTURES ${newest}-virtual)
    endif()
    enable_language(CUDA)
    if(CMAKE_CUDA_COMPILER_VERSION VERSION_GREATER_EQUAL ${oldest_cuda})
      set(stratoperf_with_cuda ON)
    endif()
  endif()
  if(stratoperf_with_cuda)
    message(STATUS "CUDA ${CMAKE_CUDA_COMPILER_VERSION} for ${CMAKE_CUDA_ARCHITECTURES}")
  elseif(STRATOPERF_CUDA STREQUAL "AUTO")
    message(STATUS "No CUDA compiler ${oldest_cuda} or later: without the CUDA module")
  else()
    message(FATAL_ERROR
      "STRATOPERF_CUDA=${STRATOPERF_CUDA} needs a CUDA compiler ${oldest_cuda} or later that works "
      "with ${CMAKE_CXX_COMPILER}, which was not found. Put nvcc on the PATH, set CUDACXX to it, or "
      "build without: -DSTRATOPERF_CUDA=OFF")
  endif()
endif()
