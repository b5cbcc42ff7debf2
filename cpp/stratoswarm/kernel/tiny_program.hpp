// A program without a library that ends at once: what is left of starting it is the system call.
#pragma once

#include <string>

#include "stratoswarm/memory/handles.hpp"

namespace stratoperf::kernel {

// The status that the program ends with.
constexpr int kTinyStatus = 42;

// The program in a sealed file in memory.
class TinyProgram {
 public:
  // Throws Failure when the system has no such files, or when there is no program for this
  // processor.
  TinyProgram();
  // A path that execve takes; needs /proc.
  const std::string& path() const { return path_; }

 private:
  memory::Descriptor file_;
  std::string path_;
};

}  // namespace stratoperf::kernel
