# Finds the CUDA compiler as STRATOPERF_CUDA asks, and sets `stratoperf_with_cuda`.

# The first release that knows all that the sources use.
set(oldest_cuda 12.0)

# An intermediate form that the driver compiles for any newer device.
set(oldest_architecture 75)

# Code for the devices that are here: for all of them compiling takes four times as long. Where there
# is none, the intermediate form of the oldest.
function(choose_architectures result)
  execute_process(COMMAND "${CMAKE_CUDA_COMPILER}" --list-gpu-arch
    OUTPUT_VARIABLE known OUTPUT_STRIP_TRAILING_WHITESPACE)
  string(REGEX MATCHALL "[0-9]+" known "${known}")
  list(SORT known COMPARE NATURAL)
  set(chosen ${oldest_architecture}-virtual)
  if(STRATOPERF_CUDA_ARCHITECTURES STREQUAL "ALL")
    # Native from sm_80, sm_90 and each newer one; the intermediate form of the newest too.
    foreach(architecture IN LISTS known)
      if(architecture EQUAL 80 OR architecture GREATER_EQUAL 90)
        list(APPEND chosen ${architecture}-real)
      endif()
    endforeach()
    list(GET known -1 newest)
    list(APPEND chosen ${newest}-virtual)
  else()
    execute_process(COMMAND nvidia-smi --query-gpu=compute_cap --format=csv,noheader
      OUTPUT_VARIABLE found ERROR_QUIET RESULT_VARIABLE failed)
    string(REGEX MATCHALL "[0-9]+\\.[0-9]+" found "${found}")
    string(REPLACE "." "" found "${found}")
    list(REMOVE_DUPLICATES found)
    set(unknown ${found})
    list(REMOVE_ITEM unknown "" ${known})
    # A device that this compiler does not know takes the intermediate form too.
    if(failed STREQUAL "0" AND found AND NOT unknown)
      list(TRANSFORM found APPEND "-real" OUTPUT_VARIABLE chosen)
    endif()
  endif()
  set(${result} "${chosen}" PARENT_SCOPE)
endfunction()

set(stratoperf_with_cuda OFF)
if(STRATOPERF_CUDA)
  include(CheckLanguage)
  check_language(CUDA)
  if(CMAKE_CUDA_COMPILER)
    # Chosen before the language is enabled, which would set a single old default otherwise.
    if(NOT DEFINED CMAKE_CUDA_ARCHITECTURES AND NOT DEFINED ENV{CUDAARCHS})
      choose_architectures(CMAKE_CUDA_ARCHITECTURES)
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
