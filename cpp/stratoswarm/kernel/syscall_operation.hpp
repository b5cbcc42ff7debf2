// System calls as operations for the sampler.
#pragma once

#include <memory>

#include "core/operation.hpp"

namespace stratoperf::kernel {

enum class Syscall {
  getpid,      // the bare path into the kernel and back
  openat,      // and close, of /
  clone,       // a child that shares the memory and ends at once, and waiting for it
  execve,      // the same with a program of twelve bytes that ends at once
  mmap,        // and munmap, of one page that is not touched
  page_fault,  // the first touch of a page
};

// One iteration makes the call once. Verified are the results of all. Throws Failure where the
// system does not allow the call.
std::unique_ptr<Operation> syscall_operation(Syscall call);

}  // namespace stratoperf::kernel
