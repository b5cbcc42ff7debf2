// What is told of a kernel that went wrong.
#pragma once

#include <source_location>
#include <stdexcept>
#include <string>

#include "thread.hpp"

namespace cuda_emulator {

// A mistake of the kernel.
class KernelFailure : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// File, line, column and function.
std::string place(const std::source_location& where);

// Where the threads of a block are, those at the same place together.
std::string whereabouts(Threads threads);

// Why a thread waits at a collective in vain, when no other thread can go on.
std::string why_unfinished(const Thread& waiting, Threads threads);

}  // namespace cuda_emulator
