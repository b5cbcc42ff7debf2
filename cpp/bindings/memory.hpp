// What the two binding files of the memory tiers share.
#pragma once

#include <memory>
#include <vector>

#include "bindings/bindings.hpp"
#include "core/operation.hpp"
#include "workloads/memory/store.hpp"

namespace stratoperf::bindings {

// Binds the operations onto tiers.
void register_memory_operations(py::module_& module,
                                py::class_<memory::Store, std::shared_ptr<memory::Store>>& store);

// (threads, chunk in bytes, copy method) as Python sees a tuning.
py::tuple to_tuple(const memory::Tuning& tuning);

}  // namespace stratoperf::bindings
